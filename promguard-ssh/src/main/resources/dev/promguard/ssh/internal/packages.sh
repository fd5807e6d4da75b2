# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# Debian packages.

facts_packages() {
    dpkg-query -W -f "$N\\tpackage\\t\${Package}\\t\${db:Status-Status}\\t\${Version}\\n" "$@" 2>/dev/null >&3
}

# facts_package_removals PACKAGE...: removes PACKAGE for each that apt would remove to install those that are missing. Nothing is changed,
# apt's caches neither.
facts_package_removals() {
    missing=
    for package do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing="$missing $package"
        fi
    done
    if [ -n "$missing" ]; then
        # shellcheck disable=SC2086
        apt_removals $missing | while read -r package; do
            say fact package-removals removes "$package"
        done
    fi
}

# apt_removals PACKAGE...: what apt would remove to install them.
apt_removals() {
    apt-get -s -q -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= --no-install-recommends install "$@" 2>/dev/null |
        sed -n 's/^Remv \([^ ]*\).*/\1/p' | sort -u
}

# apt_failed PACKAGE...: why they could not be installed. apt-get itself never removes anything here.
apt_failed() {
    removals=$(apt_removals "$@" | tr '\n' ' ')
    if [ -n "$removals" ]; then
        WHY="apt would remove ${removals% } to install $*, and PromGuard removes nothing"
    else
        WHY="apt-get could not install $*"
    fi
}

apply_packages() {
    note_packages "$@" || return
    if [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -print -quit 2>/dev/null)" ]; then
        apt_install "$@" && return 0
        if [ -n "$(dpkg --audit 2>/dev/null)" ]; then
            quietly dpkg --configure -a
        fi
    fi
    apt_update || {
        WHY='apt-get update failed'
        return 1
    }
    apt_install "$@" || {
        apt_failed "$@"
        return 1
    }
}

apt_install() {
    quietly apt-get -y -q --no-remove -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold --no-install-recommends install "$@"
}

# apt's lists have a lock of their own that it does not wait for.
apt_update() {
    tries=0
    until quietly apt-get -q -o APT::Update::Error-Mode=any -o Acquire::Retries=3 update; do
        tries=$((tries + 1))
        if [ "$locked" = no ] && [ "$tries" -ge 3 ] || [ "$tries" -ge 60 ]; then
            return 1
        fi
        sleep 3
    done
}

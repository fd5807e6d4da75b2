# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# Debian packages.

facts_packages() {
    dpkg-query -W -f "$N\\tpackage\\t\${Package}\\t\${db:Status-Status}\\t\${Version}\\n" "$@" 2>/dev/null >&3
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
        WHY="apt-get could not install $*"
        return 1
    }
}

apt_install() {
    quietly apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold --no-install-recommends install "$@"
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

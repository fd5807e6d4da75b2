# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# Debian packages.

facts_packages() {
    dpkg-query -W -f "$N\\tpackage\\t\${Package}\\t\${db:Status-Status}\\t\${Version}\\n" "$@" 2>/dev/null >&3
}

# facts_dpkg PACKAGE...: unfinished STATUS PACKAGE for what dpkg has begun and not finished, where one of the packages is not installed:
# apt goes on with all of it when it installs something. And for each that is not installed: held PACKAGE if somebody put it on hold, and
# pinned PACKAGE if somebody ruled out all its versions. Apt installs none of these.
facts_dpkg() {
    ! all_installed "$@" || return 0
    unfinished | sed "s/^\(.*\) \(.*\)\$/$N${TAB}fact${TAB}dpkg${TAB}unfinished${TAB}\1${TAB}\2/" >&3
    dpkg-query -W -f '${db:Status-Want} ${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        awk -v begin="$N${TAB}fact${TAB}dpkg${TAB}held${TAB}" '$1 == "hold" && $2 != "installed" { print begin $3 }' >&3
    ruled_out "$@" | while read -r package; do
        say fact dpkg pinned "$package"
    done
}

# ruled_out PACKAGE...: those that are not installed, that a source has, and of which apt's preferences give every version a priority below 0.
ruled_out() {
    cat /etc/apt/preferences /etc/apt/preferences.d/* 2>/dev/null | grep -q 'Pin-Priority:[[:space:]]*-' || return 0
    apt-cache -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= policy "$@" 2>/dev/null | awk '
        /^[^ ].*:$/ { package = substr($1, 1, length($1) - 1); missing = none = out = 0 }
        $1 == "Installed:" { missing = $2 == "(none)" }
        $1 == "Candidate:" { none = $2 == "(none)" }
        /^     [^ ]+ -[0-9]+$/ && missing && none && !out++ { print package }'
}

all_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null | grep -cx installed)" -eq $# ]
}

# unfinished: status and name of each package that dpkg has begun and not finished.
unfinished() {
    dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' 2>/dev/null |
        grep -E '^(half-installed|unpacked|half-configured) '
}

# facts_package_removals PACKAGE...: removes PACKAGE for each that apt would remove to install those that are missing. Nothing is changed,
# apt's caches neither.
facts_package_removals() {
    ! all_installed "$@" || return 0
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

# apply_packages NAME...: from the sources that work. What else is broken is named, and stays as it is, but for what apt finishes by itself.
apply_packages() {
    note_packages "$@" || return
    interrupted=$(unfinished)
    unset APT_CONFIG
    set_aside_cds && merge_journal && install_packages "$@"
    result=$?
    [ -z "$ASIDE" ] || rm -rf "$ASIDE"
    unset APT_CONFIG
    [ "$result" -eq 0 ] || return "$result"
    note_unfinished
}

install_packages() {
    dead=
    if [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -print -quit 2>/dev/null)" ]; then
        install_or_settle "$@" && return 0
        [ "$hopeless" = no ] || return 1
    fi
    tries=0
    while :; do
        tries=$((tries + 1))
        dead=
        if ! apt_update; then
            [ "$locked" = no ] || {
                unmet=
                why_not "$@"
                return 1
            }
            dead=$(dead_sources)
        fi
        install_or_settle "$@" && break
        [ "$hopeless" = no ] || return 1
        # A source that lists a package and does not have it any more must not keep the others from it.
        if [ -n "$dead" ] && [ -n "$(sources_beside "$dead")" ]; then
            set_aside "$dead" && install_or_settle "$@" && break
            set_aside '' || return
        fi
        [ "$tries" -lt 3 ] || return 1
        sleep 3
    done
    [ -z "$dead" ] || printf '%s\n' "$dead" | while read -r uri; do
        say note "the package source $(where_is "$uri") did not answer or was refused by apt: the packages came from the other sources"
    done
}

# install_or_settle NAME...: installs, and finishes what the failure of an unrelated package held up. Sets whether it is hopeless to try
# again with other lists.
install_or_settle() {
    hopeless=no
    apt_install "$@" && return 0
    while set_aside_malformed; do
        apt_install "$@" && return 0
    done
    if [ "$locked" = yes ]; then
        apt_install "$@" && return 0
    fi
    all_installed "$@" && return 0
    unmet=
    case $said in
        *'fix-broken install'*)
            hopeless=yes
            unmet=$(printf '%s\n' "$said" | sed -n 's/^ \([a-z0-9][^ ]*\) : .*/\1/p' | sort -u | tr '\n' ' ')
            ;;
        *'needs to be reinstalled, but'* | *'remove is disabled'*) hopeless=yes ;;
    esac
    [ "$locked" = no ] || hopeless=yes
    why_not "$@"
    fresh=$(unfinished | grep -vxF -e "$interrupted" | cut -d ' ' -f 2)
    if [ -n "$fresh" ]; then
        # shellcheck disable=SC2086
        quietly dpkg --configure $fresh
        all_installed "$@" && return 0
    fi
    return 1
}

# why_not NAME...: why packages are not installed, from what apt said last.
why_not() {
    WHY="apt-get could not install $*"
    stuck=$(unfinished | awk '{ text = text (NR > 1 ? ", " : "") $2 " (" $1 ")" } END { print text }')
    holder=$(printf '%s\n' "$said" | sed -n 's/.*It is held by process \([0-9]*\) (\([^)]*\)).*/process \1 (\2)/p' | tail -n 1)
    if [ "$locked" = yes ]; then
        WHY="$WHY: ${holder:-another process} holds the lock of dpkg or apt"
    elif printf '%s\n' "$said" | grep -q -e 'No space .* on device' -e "have enough free space in"; then
        WHY="there is no room on the host for $*"
    elif removals=$(apt_removals "$@" | tr '\n' ' ') && [ -n "$removals" ]; then
        WHY="apt would remove ${removals% } to install $*, and PromGuard removes nothing"
    elif pinned=$(ruled_out "$@" | tr '\n' ' ') && [ -n "$pinned" ]; then
        WHY="$WHY: apt's preferences rule out every version of ${pinned% }"
    elif [ -n "$stuck" ]; then
        WHY="$WHY: dpkg has not finished $stuck"
    elif [ -n "$unmet" ]; then
        WHY="$WHY: what these need is not installed: $unmet"
    elif [ -n "$dead" ]; then
        WHY="$WHY: no package source has them all, and these did not answer or were refused by apt: $(printf %s "$dead" | tr '\n' ' ')"
    fi
}

# merge_journal: what an interrupted dpkg wrote down and did not put in its place. Changes no package, and apt does nothing before.
merge_journal() {
    waits=0
    while [ -n "$(find /var/lib/dpkg/updates -name '[0-9]*' -print -quit 2>/dev/null)" ]; do
        quietly dpkg --set-selections && return 0
        waits=$((waits + 1))
        if [ "$locked" = no ] || [ "$waits" -ge 200 ]; then
            WHY='an earlier run of dpkg was interrupted, and its journal could not be read'
            return 1
        fi
        sleep 3
    done
}

# note_unfinished: what apt finished on the way, and what it could not.
note_unfinished() {
    now=$(unfinished)
    [ -z "$interrupted" ] || printf '%s\n' "$interrupted" | while read -r status package; do
        case " $(printf '%s\n' "$now" | cut -d ' ' -f 2 | tr '\n' ' ')" in
            *" $package "*) ;;
            *) say note "apt finished the package $package, which was $status before" ;;
        esac
    done
    [ -z "$now" ] || printf '%s\n' "$now" | while read -r status package; do
        say note "the package $package is $status and stays so: dpkg --configure $package on the host says why"
    done
}

apt_sources() {
    set -- /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources
    for file do
        [ ! -f "$file" ] || printf '%s\n' "$file"
    done
}

# without_uris FILE URIS ALL: the entries of a file of sources that have none of the URIs, or with ALL the URIs of all entries.
without_uris() {
    awk -v dead="$2" -v all="$3" '
        function is_dead(uri) {
            sub(/\/+$/, "", uri)
            if (all) print uri
            return uri ~ /^cdrom:/ || index(" " dead " ", " " uri " ") > 0
        }
        BEGIN { if (stanzas = ARGV[1] ~ /\.sources$/) RS = "" }
        stanzas {
            count = split($0, lines, "\n")
            inside = drop = 0
            for (i = 1; i <= count; i++) {
                if (lines[i] ~ /^#/) continue
                if (tolower(lines[i]) ~ /^uris:/) inside = 1
                else if (lines[i] !~ /^[ \t]/) inside = 0
                if (tolower(lines[i]) ~ /^enabled:[ \t]*no/) drop = 1
                if (inside) {
                    words = split(lines[i], word, /[ \t]+/)
                    for (w = 1; w <= words; w++) if (word[w] ~ /:./ && is_dead(word[w])) drop = 1
                }
            }
            if (!drop && !all) print $0 "\n"
            next
        }
        /^[ \t]*deb(-src)?[ \t]/ {
            rest = $0
            sub(/^[ \t]*deb(-src)?[ \t]+(\[[^]]*\][ \t]*)?/, "", rest)
            split(rest, word, /[ \t]+/)
            if (is_dead(word[1])) next
        }
        !all { print }' "$1"
}

# where_is URI: with the file that names it.
where_is() {
    file=$(apt_sources | while read -r file; do grep -lF -e "$1" "$file"; done | head -n 1)
    printf %s "$1${file:+ ($file)}"
}

# dead_sources: the URIs of the sources that apt named with an error when it was updated.
dead_sources() {
    failures=$(printf '%s\n' "$said" | grep -E '^(E|W|Err|Ign)[:0-9]')
    uris_of_sources | while read -r uri; do
        case $failures in *"$uri"[/\ \']*) printf '%s\n' "$uri" ;; esac
    done
}

uris_of_sources() {
    apt_sources | while read -r file; do without_uris "$file" '' all; done | sort -u
}

# sources_beside URIS: the URIs of the other sources.
sources_beside() {
    uris_of_sources | grep -v '^cdrom:' | grep -vxF -e "$1"
}

# set_aside URIS: has apt use copies of the sources without those that have one of these. The files of the host stay as they are.
set_aside() {
    uris=$(printf %s "$1" | tr '\n' ' ')
    [ -n "$ASIDE" ] || ASIDE=$(mktemp -d /run/promguard.XXXXXX) || return
    rm -rf "$ASIDE/parts"
    mkdir "$ASIDE/parts" && : >"$ASIDE/none" || return
    apt_sources | while read -r file; do
        case "$LF$malformed$LF" in *"$LF$file$LF"*) continue ;; esac
        without_uris "$file" "$uris" '' >"$ASIDE/parts/${file##*/}" || exit
    done || return
    printf '%s\n' "Dir::Etc::SourceList \"$ASIDE/none\";" "Dir::Etc::SourceParts \"$ASIDE/parts\";" \
        'APT::Get::List-Cleanup "false";' 'Dir::Cache::PkgCache "";' 'Dir::Cache::SrcPkgCache "";' >"$ASIDE/apt.conf"
    export APT_CONFIG="$ASIDE/apt.conf"
}

# set_aside_cds: sources on a CD, which is not in the host, but for the installer.
set_aside_cds() {
    ASIDE=
    malformed=
    cds=$(apt_sources | while read -r file; do
        grep -qE '^[^#]*(^|[[:space:]])cdrom:' "$file" && printf '%s\n' "$file"
    done)
    [ -n "$cds" ] || return 0
    for file in $cds; do
        say note "$file names a CD as a package source: it was not used"
    done
    set_aside ''
}

# set_aside_malformed: a file of sources that apt cannot read, and that keeps it from all others. Fails if there is none.
set_aside_malformed() {
    file=$(printf '%s\n' "$said" |
        sed -n 's/^E: \(Malformed\|Type\|Unable to parse\).* \/[^ ]*\/\([^/ ]*\.\(list\|sources\)\)\( .*\)\{0,1\}$/\2/p' | head -n 1)
    case $file in
        sources.list) file=/etc/apt/$file ;;
        *) file=/etc/apt/sources.list.d/$file ;;
    esac
    if [ ! -f "$file" ]; then
        return 1
    fi
    case "$LF$malformed$LF" in *"$LF$file$LF"*) return 1 ;; esac
    malformed=$malformed$LF$file
    say note "apt cannot read $file: the packages came from the other sources"
    set_aside "$dead"
}

apt_install() {
    quietly apt-get -y -q --no-remove -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold --no-install-recommends install "$@" || return
    [ -z "$waited_for" ] || printf '%s\n' "$waited_for" | while read -r holder; do
        say note "apt waited for $holder, which held the lock of dpkg or apt"
    done
}

# apt's lists have a lock of their own that it does not wait for. One source that does not answer fails it; the others are up to date then.
apt_update() {
    waits=0
    until quietly apt-get -q -o APT::Update::Error-Mode=any -o Acquire::Retries=2 -o Acquire::http::Timeout=20 \
        -o Acquire::https::Timeout=20 update; do
        waits=$((waits + 1))
        if [ "$locked" = no ] || [ "$waits" -ge 200 ]; then
            return 1
        fi
        sleep 3
    done
}

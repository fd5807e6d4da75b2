# shellcheck shell=sh disable=SC2034
# Runs first in every script. Standard output becomes the protocol's alone (3); standard input stays open for an answer (4).
export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l
export APT_LISTCHANGES_FRONTEND=none APT_LISTBUGS_FRONTEND=none UCF_FORCE_CONFFOLD=1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset CDPATH ENV BASH_ENV IFS
# What a host has everybody's programs start with, and would lead those here astray: to options that are none, or to a folder that is not there.
for setting in TMPDIR POSIXLY_CORRECT GREP_OPTIONS TAR_OPTIONS XTABLES_LOCKFILE; do
    eval "[ -z \"\${$setting+set}\" ] || unset $setting"
done
umask 022
cd / || exit 1
exec 3>&1 1>&2 4<&0 </dev/null
TAB='	'
LF='
'
CR=$(printf '\r')
STATE=/var/lib/promguard
PENDING=$STATE/owed
MANIFEST=$STATE/before
BOOT_UNIT=/etc/systemd/system/promguard-rollback-boot
ROLLBACK_UNITS='promguard-rollback.timer promguard-rollback.service promguard-rollback-boot.timer promguard-rollback-boot.service'
STAMP='%n %F %s %.9Z %a %u:%g'
WHY=
# What goes when the script ends: what a change has in the making, and what an edit of a file has.
TMP=
EDITED=
ARMED=
EXPECTED=
PUSHED=
UNREACHED=
STARTS=
ENABLED=
# Whether systemd has to read its unit files anew: yes, no more, or nothing if only systemd knows.
RELOAD=
trap 'exit 1' HUP INT PIPE TERM
trap '[ -z "$TMP$EDITED" ] || rm -rf "$TMP" "$EDITED"' EXIT

# say FIELD...: one line of the protocol.
say() {
    IFS=$TAB
    printf '%s\n' "$N$TAB$*" >&3
    unset IFS
}

# Another program may hold the lock of iptables for a moment: older ones fail without -w, as if there were no rules.
iptables() {
    command iptables -w "$@"
}

ip6tables() {
    command ip6tables -w "$@"
}

# lock: makes this the one script that is at work on the host, until it ends or closes 9.
lock() {
    exec 9>/run/promguard.lock
    flock -w 60 9
}

# idle: waits for a run or a rollback that is at work on the host, and fails if there was one.
idle() {
    exec 8>/run/promguard.lock
    flock -n 8
    found=$?
    [ "$found" -eq 0 ] || flock -w 60 8
    exec 8>&-
    return "$found"
}

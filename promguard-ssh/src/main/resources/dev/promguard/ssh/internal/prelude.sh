# shellcheck shell=sh disable=SC2034
# Runs first in every script. Standard output becomes the protocol's alone (3); standard input stays open for an answer (4).
export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset CDPATH ENV BASH_ENV IFS
umask 022
cd / || exit 1
exec 3>&1 1>&2 4<&0 </dev/null
TAB='	'
LF='
'
STATE=/var/lib/promguard
OWED=$STATE/owed
LEDGER=$STATE/before
STAMP='%n %F %s %.9Z %a %u:%g'

# say FIELD...: one line of the protocol.
say() {
    IFS=$TAB
    printf '%s\n' "$N$TAB$*" >&3
    unset IFS
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

# disarm: takes the rollback's saved state away, so that it has nothing to put back. The rename decides who was first. Fails
# with 2 where a run was at work: a connection from before its changes does not prove that one can be made after them.
disarm() {
    if [ -d "$STATE/rollback" ] || [ -d "$STATE/rolling-back" ]; then
        idle || [ ! -d "$STATE/rollback" ] || return 2
    fi
    if [ -d "$STATE/rollback" ] && mv -T "$STATE/rollback" "$STATE/confirmed.$$" 2>/dev/null; then
        systemctl stop promguard-rollback.timer 2>/dev/null
        rm -rf "$STATE"/confirmed.* "$STATE/rollback.sh" "$STATE/taken-off" \
            /etc/systemd/system/promguard-rollback-boot.service \
            /etc/systemd/system/promguard-rollback-boot.timer \
            /etc/systemd/system/timers.target.wants/promguard-rollback-boot.timer
        if [ -z "$(ls -A "$STATE")" ]; then
            rmdir "$STATE"
        fi
        return 0
    fi
    return 1
}

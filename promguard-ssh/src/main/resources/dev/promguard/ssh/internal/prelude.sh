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

# disarm: takes the rollback's saved state away, so that it has nothing to put back. The rename decides who was first, and a
# rollback that was is waited for. Fails with 2 where a run was at work: a connection from before its changes does not prove
# that one can be made after them.
disarm() {
    if [ -d "$STATE/rollback" ]; then
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
    rolled_back
    return 1
}

# rolled_back: waits for the end of a rollback that has begun, also where it has not got the lock yet. One that nobody is at
# work on any more, for the host went down in it, is brought to its end here.
rolled_back() {
    looks=0
    while [ -d "$STATE/rolling-back" ] && [ "$looks" -lt 150 ]; do
        idle
        case $LF$(systemctl is-active promguard-rollback.service promguard-rollback-boot.service) in
            *"${LF}activ"*) sleep 0.2 ;;
            *)
                lock && finish_rollback
                exec 9>&-
                return
                ;;
        esac
        looks=$((looks + 1))
    done
}

# finish_rollback: ends what would roll back by itself, and does the rest of what it has begun. The lock is held.
finish_rollback() {
    systemctl stop promguard-rollback.timer promguard-rollback.service \
        promguard-rollback-boot.timer promguard-rollback-boot.service 2>/dev/null
    [ ! -d "$STATE/rolling-back" ] || sh "$STATE/rollback.sh" </dev/null
}

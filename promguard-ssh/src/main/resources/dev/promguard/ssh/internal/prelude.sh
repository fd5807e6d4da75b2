# shellcheck shell=sh disable=SC2034
# Runs first in every script. Standard output becomes the protocol's alone (3); standard input stays open for an answer (4).
export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset CDPATH ENV BASH_ENV IFS
umask 022
cd / || exit 1
exec 3>&1 1>&2 4<&0 </dev/null
TAB='	'
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

# disarm: takes the rollback's saved state away, so that it has nothing to put back. The rename decides who was first.
disarm() {
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

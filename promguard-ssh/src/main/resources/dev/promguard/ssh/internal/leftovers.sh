# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# What remains of a run that was killed, or of one on a host that lost its power. All files that are not in place yet have such names.

# temporary_files: the files and folders that were not in place yet.
temporary_files() {
    for path in /etc/wireguard/.promguard.* /etc/wireguard/*/.promguard.* /etc/ssh/.promguard.* \
        /etc/prometheus/.promguard.* /etc/prometheus/*/.promguard.* /etc/promguard/.promguard.* /etc/promguard/*/.promguard.* \
        /etc/systemd/system/.promguard.* /etc/systemd/network/.promguard.* /etc/NetworkManager/conf.d/.promguard.* \
        /usr/local/lib/promguard/.promguard.* /etc/default/.promguard.* /etc/ufw/.promguard.* /etc/.promguard.* /root/.ssh/.promguard.* \
        /opt/.promguard.* /opt/promguard/.promguard.* /run/.promguard.* "${STATE%/*}"/.promguard.* \
        /opt/promguard/.new.* /run/promguard.?????? \
        "$STATE"/.new.* "$STATE"/confirmed.* "$STATE"/*.new "$STATE"/sed?????? "$MANIFEST"/.new.* "$MANIFEST"/*.new \
        "$MANIFEST"/sed??????; do
        case $path in *[!A-Za-z0-9_@.+/-]*) continue ;; esac
        if [ -e "$path" ] || [ -L "$path" ]; then
            printf '%s\n' "$path"
        fi
    done
}

# remove_temporary_files: the lock is held, so that nobody writes one.
remove_temporary_files() {
    temporary_files | xargs -r -d '\n' rm -rf --
}

# rollback_saved: whether there is something to put back, or that is being put back.
rollback_saved() {
    [ -d "$STATE/rollback" ] || [ -d "$STATE/rolling-back" ]
}

# rollback_files: what a rollback needs that has nothing to put back any more.
rollback_files() {
    ! rollback_saved || return 0
    for path in "$STATE/rollback.sh" "$STATE/rolled-back" "$STATE/taken-off" "$BOOT_UNIT.service" "$BOOT_UNIT.timer" \
        /etc/systemd/system/timers.target.wants/promguard-rollback-boot.timer; do
        if [ -e "$path" ] || [ -L "$path" ]; then
            printf '%s\n' "$path"
        fi
    done
}

# rollback_units: its units that wait for their time, or that failed, with their states.
rollback_units() {
    ! rollback_saved || return 0
    # shellcheck disable=SC2086
    states=$(systemctl is-active $ROLLBACK_UNITS 2>/dev/null)
    for unit in $ROLLBACK_UNITS; do
        state=${states%%"$LF"*}
        states=${states#*"$LF"}
        case $unit:$state in
            *:failed | *.timer:active) printf '%s %s\n' "$unit" "$state" ;;
        esac
    done
}

# facts_leftovers: says nothing while a run is at work, whose temporary files are in use.
facts_leftovers() {
    (exec 8>/run/promguard.lock && flock -n 8) || return 0
    {
        temporary_files
        rollback_files
    } | head -n 90 | while read -r path; do
        say fact leftovers path "$path"
    done
    rollback_units | while read -r unit state; do
        say fact leftovers unit "$unit" "$state"
    done
}

# stop_rollback: ends what would roll back by itself.
stop_rollback() {
    # shellcheck disable=SC2086
    systemctl stop $ROLLBACK_UNITS 2>/dev/null
}

apply_leftovers() {
    remove_temporary_files
    if ! rollback_saved; then
        stop_rollback
        rollback_files | while read -r path; do
            rm -rf -- "$path"
        done
        # shellcheck disable=SC2086
        systemctl reset-failed $ROLLBACK_UNITS 2>/dev/null
        if [ -d "$STATE" ] && [ -z "$(ls -A "$STATE")" ]; then
            rmdir "$STATE"
        fi
    fi
    remaining=$(temporary_files && rollback_files && rollback_units)
    [ -z "$remaining" ] || {
        WHY="$(printf %s "$remaining" | tr '\n' ' ') could not be removed"
        return 1
    }
}

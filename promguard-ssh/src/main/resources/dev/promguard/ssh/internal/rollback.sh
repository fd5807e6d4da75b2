# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# The rollback of changes that nobody confirms: how it is armed, disarmed and carried out.

# arm SECONDS INTERFACE UNIT...: the script that puts things back comes on standard input. What was saved earlier and never
# confirmed stays as it was saved. An empty INTERFACE is the one that PromGuard has on the host.
arm() {
    seconds=$1
    interface=${2:-$(own_interface)}
    shift 2
    private_folder "$STATE" || return
    # A rollback that has begun waits for this run to end, and so is brought to its end here.
    finish_rollback || {
        WHY='an earlier rollback could not be brought to its end'
        return 1
    }
    rm -f "$STATE/rolled-back"
    umask 077
    if [ ! -d "$STATE/rollback" ]; then
        TMP=$(mktemp -d "$STATE/.new.XXXXXX") || return
        mkdir "$TMP/ufw" "$TMP/wireguard" "$TMP/ssh" || return
        : >"$TMP/units"
        printf '%s\n' "$interface" >"$TMP/interface"
        printf '%s\n' "$N" >"$TMP/run"
        for file in /etc/default/ufw /etc/ufw/ufw.conf /etc/ufw/user.rules /etc/ufw/user6.rules; do
            if [ -e "$file" ]; then
                folder=${file%/*}
                cp -pL "$file" "$TMP/ufw/etc:${folder##*/}:${file##*/}" || return
            fi
        done
        if grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null; then
            : >"$TMP/ufw-enabled"
            save_loaded "$TMP" || return
        fi
        save_kill_switch "$TMP" || return
        [ -z "$interface" ] || save_wireguard "$interface" "$TMP" || return
        (
            set -- /etc/ssh/ssh_host_*
            [ ! -e "$1" ] || cp -pP "$@" "$TMP/ssh/"
        ) || return
        put_in_place "$TMP" "$STATE/rollback" || return
        TMP=
    else
        # Until its own timers are there, the earlier run's may still act.
        printf '%s\n' "$N" >>"$STATE/rollback/run" || return
    fi
    known=$(cat "$STATE/rollback/units") || return
    states=$([ $# -eq 0 ] || systemctl is-active -- "$@")$LF
    for name do
        state=${states%%"$LF"*}
        states=${states#*"$LF"}
        case $state in
            '') return 1 ;;
            active | reloading | refreshing) active=yes ;;
            *) active=no ;;
        esac
        case $LF$known in
            *"$LF$name "*) ;;
            *) printf '%s %s\n' "$name" "$active" >>"$STATE/rollback/units" ;;
        esac
    done
    base64 -d >"$STATE/rollback.sh" || return
    umask 022
    printf '[Unit]\nDescription=Put back what PromGuard changed and nobody confirmed\n[Service]\nType=oneshot\nExecStart=/bin/sh %s %s\n' \
        "$STATE/rollback.sh" "$N" >"$BOOT_UNIT.service" || return
    printf '[Unit]\nDescription=Wait for the confirmation of what PromGuard changed\n[Timer]\nOnActiveSec=%s\nAccuracySec=1s\n' \
        "$seconds" >"$BOOT_UNIT.timer" || return
    mkdir -p /etc/systemd/system/timers.target.wants
    ln -sfT "$BOOT_UNIT.timer" /etc/systemd/system/timers.target.wants/promguard-rollback-boot.timer || return
    # After a power cut the host has to find all of it, for only then does it roll back what is changed from now on.
    sync "$STATE/rollback.sh" "$STATE/rollback/units" "$STATE/rollback/run" "$STATE" "$BOOT_UNIT.service" "$BOOT_UNIT.timer" \
        /etc/systemd/system /etc/systemd/system/timers.target.wants || return
    # shellcheck disable=SC2086
    systemctl reset-failed $ROLLBACK_UNITS 2>/dev/null
    systemd-run --quiet --unit=promguard-rollback --on-active="$seconds" --timer-property=AccuracySec=1s \
        /bin/sh "$STATE/rollback.sh" "$N" || {
        WHY='the timer that would roll back could not be set'
        return 1
    }
    (umask 077 && printf '%s\n' "$N" >"$STATE/run.new") && put_in_place "$STATE/run.new" "$STATE/rollback/run" || return
    ARMED=yes
    say armed
}

# facts_rollback: says whether changes wait for a confirmation. A rollback that has begun is waited for. Fails with 2 where a run was at
# work: what it is about to change is not worth reading.
facts_rollback() {
    if [ -d "$STATE/rollback" ]; then
        idle || [ ! -d "$STATE/rollback" ] || return 2
    fi
    if [ -d "$STATE/rollback" ]; then
        say rollback-pending
    else
        rolled_back
    fi
}

# disarm: takes the rollback's saved state away, so that it has nothing to put back. The rename decides who was first, and a
# rollback that was is waited for. Fails with 2 where a run was at work: a connection from before its changes does not prove
# that one can be made after them.
disarm() {
    if [ -d "$STATE/rollback" ]; then
        idle || [ ! -d "$STATE/rollback" ] || return 2
        # ufw renames its files before they are on disk, and after a power cut nothing would roll back any more.
        [ ! -d /etc/ufw ] || durable /etc/ufw /etc/default/ufw
    fi
    if [ -d "$STATE/rollback" ] && mv -T "$STATE/rollback" "$STATE/confirmed.$$" 2>/dev/null; then
        # One that was loaded at a boot stays loaded when its file goes.
        systemctl stop promguard-rollback.timer promguard-rollback-boot.timer 2>/dev/null
        rm -rf "$STATE"/confirmed.* "$STATE/rollback.sh" "$STATE/taken-off" "$BOOT_UNIT.service" "$BOOT_UNIT.timer" \
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
    tries=0
    while [ -d "$STATE/rolling-back" ] && [ "$tries" -lt 150 ]; do
        idle
        case $LF$(systemctl is-active promguard-rollback.service promguard-rollback-boot.service) in
            *"${LF}activ"*) sleep 0.2 ;;
            *)
                lock && finish_rollback
                exec 9>&-
                return
                ;;
        esac
        tries=$((tries + 1))
    done
}

# finish_rollback: ends what would roll back by itself, and does the rest of what it has begun. The lock is held.
finish_rollback() {
    stop_rollback
    [ ! -d "$STATE/rolling-back" ] || sh "$STATE/rollback.sh" </dev/null
}

# shellcheck shell=sh disable=SC2154
confirm() {
    disarm
    case $? in
        0) say confirm disarmed ;;
        2) say confirm busy ;;
        *)
            if [ -d "$STATE/rolling-back" ]; then
                say confirm rolling-back
            elif [ -e "$STATE/rolled-back" ]; then
                say confirm rolled-back
            else
                say confirm none
            fi
            ;;
    esac
}

# begin_rollback: has the rollback begin now, in the unit that would begin it later, so that it does not end with this connection.
# After a reboot only the unit of the boot is there.
begin_rollback() {
    idle
    if [ -d "$STATE/rollback" ]; then
        systemctl start promguard-rollback.service 2>/dev/null ||
            systemctl start --no-block promguard-rollback-boot.service
        tries=0
        while [ -d "$STATE/rollback" ] && [ "$tries" -lt 50 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
    fi
    rolled_back
    if [ -d "$STATE/rollback" ] || [ -d "$STATE/rolling-back" ]; then
        say rollback pending
    else
        say rollback over
    fi
}

# roll_back: puts back the firewall, the WireGuard interface and the SSH host keys as they were before a change that nobody confirmed. It is
# a script of its own on the host, and does nothing unless RUN, its argument, is the run that armed it. One that has begun is brought to its end.
roll_back() {
    saved=$STATE/rolling-back
    if [ ! -d "$saved" ] && grep -qxF -e "${RUN:-none}" "$STATE/rollback/run" 2>/dev/null; then
        mv -T "$STATE/rollback" "$saved" 2>/dev/null
    fi
    [ -d "$saved" ] || exit 0

    # A run that is still at work ends at its next step, and must not go on opening what is closed here. In a run that brings an earlier
    # rollback to its end, the lock is held already.
    [ -e /proc/self/fd/9 ] || ! true >>/run/promguard.lock || exec 9>>/run/promguard.lock
    flock -w 30 9
    [ -d "$saved" ] || exit 0
    stop_exporters
    lift_masks
    restore_firewall
    restore_kill_switch "$saved"
    restore_wireguard
    restore_host_keys
    start_exporters
    restore_masks
    if [ -d "$STATE/taken-off" ] && [ ! -d "$STATE/before" ]; then
        mv -T "$STATE/taken-off" "$STATE/before"
    fi
    # What was put back is on disk before its copies go. Other file systems may belong to a server that does not answer.
    sync -f "$STATE" /etc
    : >"$STATE/rolled-back"
    systemctl stop promguard-rollback.timer promguard-rollback-boot.timer 2>/dev/null
    rm -f "$BOOT_UNIT.service" "$BOOT_UNIT.timer" /etc/systemd/system/timers.target.wants/promguard-rollback-boot.timer
    rm -rf "$saved"
    rm -f "$STATE/rollback.sh"
}

# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# systemd's units, and the restarts that are pending on them.

facts_units() {
    systemctl show --no-pager -p Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,ActiveEnterTimestamp -- "$@" |
        sed "s/^/$N${TAB}unit${TAB}/" >&3
    for unit do
        for folder in /etc/systemd/system.control /run/systemd/system.control /etc/systemd/system /run/systemd/system; do
            for file in "$folder/$unit.d"/*.conf; do
                if [ -e "$file" ] || [ -L "$file" ]; then
                    say dropins "$unit" "$folder/$unit.d"
                    break
                fi
            done
        done
    done
}

# used_units UNIT...: UNIT STATE for each that is enabled or active. systemd is asked once, which takes as long as to ask for one unit.
used_units() {
    systemctl show --no-pager -p ActiveState,UnitFileState -- "$@" 2>/dev/null | awk -v units="$*" '
        BEGIN {
            FS = "="
            split(units, unit, " ")
            at = 1
        }
        function tell() {
            if (state["ActiveState"] == "active" || state["UnitFileState"] ~ /^enabled(-runtime)?$/) print unit[at], state["ActiveState"]
            split("", state)
            at++
        }
        NF == 0 { tell() }
        NF { state[$1] = $2 }
        END { tell() }'
}

# facts_pending: what an earlier run was cut off before it did.
facts_pending() {
    [ -r "$PENDING" ] || return 0
    while read -r unit action _; do
        say pending "$unit" "$action"
    done <"$PENDING"
}

# expect_pending "UNIT ACTION"...: what units need once anything is changed that they run with.
expect_pending() {
    EXPECTED=$(printf '%s\n' "$@")
    for restart do
        case $restart in *' START' | *' RESTART') STARTS="$STARTS ${restart% *}" ;; esac
    done
}

# note_pending: writes that down before it is changed, for the next run to see if this one is cut off.
note_pending() {
    [ -n "$EXPECTED" ] || return 0
    (umask 077 && mkdir -p "$STATE" && printf '%s\n' "$EXPECTED" >"$PENDING.new" && put_in_place "$PENDING.new" "$PENDING") || return
    EXPECTED=
}

# forget_pending UNIT: it needs nothing any more.
forget_pending() {
    if [ -f "$PENDING" ]; then
        without_lines "$PENDING" "$1 .*" || return
        [ -s "$PENDING" ] || rm -f "$PENDING"
    fi
}

# apply_unit HOW UNIT
apply_unit() {
    case $1 in
        ENABLE)
            enable_unit "$2"
            return
            ;;
        STOP)
            systemctl stop -- "$2" || {
                WHY="$2 did not stop"
                return 1
            }
            return
            ;;
        RELOAD)
            daemon_reload "$2" || return
            systemctl reload "$2"
            ;;
        START)
            enable_unit "$2" || return
            systemctl reset-failed "$2" 2>/dev/null
            systemctl start "$2"
            ;;
        RESTART)
            # Its file may name other units that bring it up.
            enable_unit "$2" && daemon_reload "$2" || return
            systemctl reset-failed "$2" 2>/dev/null
            systemctl restart "$2"
            ;;
    esac || {
        WHY="$2 did not $(printf %s "$1" | tr "[:upper:]" "[:lower:]")$(closed_programs "$2")"
        show_unit "$2"
        return 1
    }
    stays_active "$2" || {
        WHY="$2 does not stay up$(closed_programs "$2")"
        show_unit "$2"
        return 1
    }
    forget_pending "$2"
}

# closed_programs UNIT: what keeps its user from its program in /opt/promguard, where systemd could not execute that (203).
closed_programs() {
    [ "$(systemctl show -p ExecMainStatus --value -- "$1")" = 203 ] || return 0
    programs=$(readlink -f /opt/promguard)
    closed=$programs
    while [ -n "$closed" ]; do
        mode=$(stat -c %a -- "$closed")
        case $mode in
            *[02468])
                printf %s ": $closed has mode $(printf '%04d' "$mode"), so that other users than root do not reach the programs in $programs"
                return
                ;;
        esac
        closed=${closed%/*}
    done
    case ,$(findmnt -n -o OPTIONS -T "$programs" 2>/dev/null), in
        *,noexec,*) printf %s ": the file system of $programs, $(findmnt -n -o TARGET -T "$programs"), is mounted with noexec" ;;
    esac
}

# apply_mask UNIT: also before the package that brings it is there. Where the host stays and had the unit before, the mask goes
# with the mesh; else it stays with the package.
apply_mask() {
    if systemctl cat -- "$1" >/dev/null 2>&1; then
        note_path "/etc/systemd/system/$1" || return
    fi
    systemctl mask -- "$1" || {
        WHY="$1 could not be masked"
        return 1
    }
    if systemctl is-active -q "$1"; then
        systemctl stop -- "$1" || {
            WHY="$1 did not stop"
            return 1
        }
    fi
}

# undo_drop_ins FOLDER...
undo_drop_ins() {
    rm -rf -- "$@" && reload_units
}

# undo_unit UNIT: its file goes last, so that a run that is cut off leaves it to be seen.
undo_unit() {
    systemctl disable --now -- "$1" || {
        WHY="$1 did not stop"
        show_unit "$1"
        return 1
    }
    rm -f "/etc/systemd/system/$1" && reload_units || return
    forget_written "/etc/systemd/system/$1" || return
    systemctl reset-failed "$1" 2>/dev/null
    forget_pending "$1"
}

undo_services() {
    for unit in $(manifest_entries unit | grep -v '^wg-quick@'); do
        stop_unit "$unit" || return
        [ "$unit" != "$KILL_SWITCH" ] || undo_kill_switch || return
    done
}

# stop_unit UNIT: stops and disables it, whether or not its file is still there.
stop_unit() {
    case $(systemctl show -p LoadState --value -- "$1") in
        not-found) ! systemctl is-active -q -- "$1" || systemctl stop -- "$1" ;;
        *) systemctl disable --now -- "$1" ;;
    esac
    case $(systemctl show -p ActiveState --value -- "$1") in
        inactive | failed) systemctl reset-failed -- "$1" 2>/dev/null || : ;;
        *)
            WHY="$1 does not stop"
            show_unit "$1"
            return 1
            ;;
    esac
}

show_unit() {
    journalctl --sync 2>/dev/null
    systemctl status --no-pager -l -n 12 -- "$1" >&2
}

# reload_units: has systemd read all unit files anew.
reload_units() {
    systemctl daemon-reload && RELOAD=no
}

# daemon_reload UNIT: the same where the unit's file is another than systemd knows. Once in a run, unless one is written again.
daemon_reload() {
    case ${RELOAD:-$(systemctl show -p NeedDaemonReload --value -- "$1")} in
        yes) reload_units ;;
    esac
}

# unmask UNIT: a unit that somebody masked cannot be enabled, nor one of a template that is. A mask is a link, or an empty file.
unmask() {
    template=
    case $1 in *@?*.*) template=${1%%@*}@.${1##*.} ;; esac
    for masked in "$1" $template; do
        for lasting in '' --runtime; do
            file=/etc/systemd/system/$masked
            [ -z "$lasting" ] || file=/run/systemd/system/$masked
            if [ ! -e "$file" ] || [ -s "$file" ]; then
                continue
            fi
            case $(systemctl is-enabled -- "$masked" 2>/dev/null) in masked*) ;; *) continue ;; esac
            note_mask "$1" "$masked" "$lasting" && systemctl --quiet ${lasting:+"$lasting"} unmask -- "$masked" || return
        done
    done
}

# note_mask UNIT MASKED [--runtime]: a mask about to be taken off. A rollback puts it back; an uninstallation does with one that was there before
# PromGuard ran the unit, unless it ends at the next boot. What becomes of ufw.service is the firewall's.
note_mask() {
    if [ -d "$STATE/rollback" ]; then
        printf '%s %s\n' "${3:---system}" "$2" >>"$STATE/rollback/masked" && sync "$STATE/rollback/masked" "$STATE/rollback" || return
    fi
    if [ -n "$3" ] || [ "$1" = ufw.service ] || manifest_entries unit | grep -qxF -e "$1"; then
        return 0
    fi
    note masked "$2"
}

# restore_masks: the rollback, once all that it stops is stopped.
restore_masks() {
    [ -e "$saved/masked" ] || return 0
    while read -r lasting unit; do
        systemctl "$lasting" mask "$unit"
    done <"$saved/masked"
}

# lift_masks: the rollback of an uninstallation, before anything starts.
lift_masks() {
    [ -e "$saved/masked-again" ] || return 0
    while read -r unit; do
        systemctl unmask "$unit"
    done <"$saved/masked-again"
}

# undo_masks: puts back those that were there before. A unit that runs all the same is its owner's by now.
undo_masks() {
    for unit in $(manifest_entries masked); do
        running=$unit
        case $unit in *@.*) running="${unit%%@*}@*.${unit##*.}" ;; esac
        if systemctl is-active -q -- "$running"; then
            say leftover "$unit, which was masked before, for it runs"
        else
            mask_again "$unit" || return
        fi
    done
}

# mask_again UNIT: as it was before. A rollback of the uninstallation takes the mask off.
mask_again() {
    if [ -d "$STATE/rollback" ]; then
        printf '%s\n' "$1" >>"$STATE/rollback/masked-again" || return
        sync "$STATE/rollback/masked-again" "$STATE/rollback" || return
    fi
    systemctl mask -- "$1" || return
    say leftover "$1, masked as it was before"
}

# enable_unit UNIT: with it, all that this run is to start, for systemd reads every unit file anew each time it enables one.
enable_unit() {
    case " $ENABLED " in *" $1 "*) return 0 ;; esac
    for name in $STARTS; do
        [ "$name" = "$1" ] || set -- "$@" "$name"
    done
    STARTS=
    for name do
        unmask "$name" || {
            WHY="$name is masked and could not be unmasked"
            return 1
        }
        note_unit "$name" || return 1
    done
    systemctl enable -- "$@" || {
        WHY="$* could not be enabled"
        return 1
    }
    ENABLED="$ENABLED $*"
    RELOAD=no
}

# stays_active UNIT: a unit that dies at once has failed, even if systemd means to start it again. A timer has nothing to die of.
stays_active() {
    tries=0
    steady=0
    wanted=2
    restarts=
    case $1 in *.timer) wanted=1 ;; esac
    while [ "$tries" -lt 50 ]; do
        now=$(systemctl show -p NRestarts,ActiveState,SubState -- "$1")
        count=${now#*NRestarts=}
        count=${count%%[!0-9]*}
        case $now in
            *auto-restart*) return 1 ;;
            *ActiveState=active*) steady=$((steady + 1)) ;;
            *ActiveState=activating* | *ActiveState=reloading*) steady=0 ;;
            *) return 1 ;;
        esac
        [ "${restarts:=$count}" = "$count" ] || return 1
        [ "$steady" -lt "$wanted" ] || return 0
        tries=$((tries + 1))
        sleep 0.3
    done
    return 1
}

# stop_exporters: the rollback. What exports stops first, so that nothing answers while the firewall is on its way back.
stop_exporters() {
    while read -r unit active; do
        systemctl stop "$unit"
        if [ "$active" = no ]; then
            systemctl disable "$unit"
        fi
    done <"$saved/units"
    if [ ! -e "$saved/ufw-enabled" ]; then
        for file in /etc/systemd/system/*.socket /etc/systemd/system/*.service; do
            [ -f "$file" ] || continue
            line=
            read -r line <"$file"
            case $line in
                '# Kept by PromGuard for mesh '*) systemctl stop "${file##*/}" ;;
            esac
        done
    fi
}

# start_exporters: the rollback, once the firewall is closed again.
start_exporters() {
    if [ -e "$saved/ufw-enabled" ]; then
        while read -r unit active; do
            if [ "$active" = yes ]; then
                systemctl start "$unit"
            fi
        done <"$saved/units"
    fi
}

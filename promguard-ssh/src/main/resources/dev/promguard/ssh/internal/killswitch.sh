# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# The kill switch: packets for the mesh's network leave through the WireGuard interface alone, also while that is down, and packets for
# the host's address in it are accepted from there alone. A unit runs a script on the host that sets an unreachable route, a dropping
# rule and routing rules; here they are read, applied, saved, put back and removed.
KILL_SWITCH=promguard-kill-switch.service
KILL_SWITCH_UNIT=/etc/systemd/system/promguard-kill-switch.service
KILL_SWITCH_SCRIPT=/usr/local/lib/promguard/kill-switch.sh
KILL_SWITCH_METRIC=4278198272
KILL_SWITCH_COMMENT='promguard kill switch'

# facts_kill_switch INTERFACE: unreachable NETWORK for each that has the route, dropped NETWORK for each that has the rule, guarded ADDRESS
# for each that has the routing rules, and before it closed ADDRESS PORT for each port that these close to peers, and admitted ADDRESS PORT
# PEER for each that they let through; shut PEER for each peer that they let reach nothing else. A rule below one that decides before, or
# below the rule for all local addresses, is none, nor is one that somebody else set: the protocol of PromGuard's is the kernel's.
facts_kill_switch() {
    {
        printf '%s\troutes\n' "$N"
        for family in -4 -6; do
            ip "$family" route show table main type unreachable
        done
        for tables in iptables ip6tables; do
            printf '%s\trules\n' "$N"
            "$tables" -t raw -S OUTPUT
        done
        for family in -4 -6; do
            printf '%s\trouting\n' "$N"
            ip -d "$family" rule show
        done
    } 2>/dev/null | awk -v nonce="$N" -v fact="$N${TAB}fact${TAB}kill-switch$TAB" -v on="$1" \
        -v metric="$KILL_SWITCH_METRIC" -v comment="$KILL_SWITCH_COMMENT" '
        $1 == nonce {
            what = $2
            decided = any = 0
            split("", lo)
            split("", way)
            split("", shut)
            split("", ports)
            split("", closed)
            next
        }
        decided { next }
        what == "routes" {
            if ($1 == "unreachable" && ($0 " ") ~ (" metric " metric " ")) print fact "unreachable\t" $2
            next
        }
        what == "rules" {
            if (/ -j ACCEPT$/) decided = 1
            if ($0 == "-A OUTPUT -d " $4 " ! -o " on " -m addrtype ! --dst-type LOCAL -m comment --comment \"" comment "\" -j DROP") print fact "dropped\t" $4
            next
        }
        $1 != "0:" {
            decided = 1
            next
        }
        {
            theirs = !/ proto kernel/
            sub(/^0:[ \t]*/, "")
            sub(/ \[detached\]/, "")
            sub(/ proto .*/, "")
            sub(/[ \t]+$/, "")
        }
        $0 == "from all lookup local" {
            decided = 1
            next
        }
        theirs { next }
        $3 == "iif" && $4 == on && $5 == "blackhole" && NF == 5 && !any && !shut[$2]++ { print fact "shut\t" $2 }
        $3 != "to" { next }
        $5 == "blackhole" && lo[$4] && way[$4] { printf "%s%sguarded\t%s\n", ports[$4], fact, $4 }
        $0 == "from all to " $4 " iif lo lookup local" { lo[$4] = 1 }
        $0 == "from all to " $4 " iif " on " lookup local" { way[$4] = any = 1 }
        $5 != "iif" || $6 != on || $7 != "ipproto" || $8 != "tcp" || $9 != "dport" || way[$4] || closed[$4, $10] || shut[$2] { next }
        $2 != "all" && $11 == "lookup" && $12 == "local" { ports[$4] = ports[$4] fact "admitted\t" $4 "\t" $10 "\t" $2 "\n" }
        $2 == "all" && $11 == "blackhole" {
            ports[$4] = ports[$4] fact "closed\t" $4 "\t" $10 "\n"
            closed[$4, $10] = 1
        }' >&3
}

# apply_kill_switch COVER|RELEASE_OTHERS NETWORK INTERFACE ADDRESS PORTS PEERS [VIEWED VIEWERS]
apply_kill_switch() {
    if [ "$1" = RELEASE_OTHERS ]; then
        shift
        sh "$KILL_SWITCH_SCRIPT" only "$@" || {
            WHY='the kill switch could not release what it covered before'
            return 1
        }
        return 0
    fi
    if ! { unmask "$KILL_SWITCH" && note_unit "$KILL_SWITCH" && systemctl enable -- "$KILL_SWITCH"; }; then
        WHY="$KILL_SWITCH could not be enabled"
        return 1
    fi
    RELOAD=no
    systemctl reset-failed "$KILL_SWITCH" 2>/dev/null
    verb=start
    if systemctl is-active -q "$KILL_SWITCH"; then
        verb=reload
    fi
    systemctl "$verb" "$KILL_SWITCH" || {
        WHY="$KILL_SWITCH did not $verb"
        show_unit "$KILL_SWITCH"
        return 1
    }
}

# save_kill_switch FOLDER: for a rollback.
save_kill_switch() {
    mkdir "$1/kill-switch" || return
    for file in "$KILL_SWITCH_UNIT" "$KILL_SWITCH_SCRIPT"; do
        if [ -e "$file" ]; then
            cp -pP "$file" "$1/kill-switch/" || return
        fi
    done
    if systemctl is-active -q "$KILL_SWITCH"; then
        : >"$1/kill-switch-active"
    fi
}

# restore_kill_switch FOLDER: where one was there, it covers what it covered, and goes on covering what the changes had it cover: files
# that name the new network are not put back. Where none was, it goes, for it may be what cut the way to the host.
restore_kill_switch() {
    if [ ! -d "$1/kill-switch" ]; then
        return 0
    fi
    if [ ! -e "$1/kill-switch/$KILL_SWITCH" ]; then
        systemctl disable --now "$KILL_SWITCH"
        undo_kill_switch
        rm -f "$KILL_SWITCH_UNIT" "$KILL_SWITCH_SCRIPT"
        systemctl daemon-reload
        return 0
    fi
    mkdir -p "${KILL_SWITCH_SCRIPT%/*}"
    put_back "$1/kill-switch/${KILL_SWITCH_SCRIPT##*/}" "$KILL_SWITCH_SCRIPT"
    if ! cmp -s "$1/kill-switch/$KILL_SWITCH" "$KILL_SWITCH_UNIT"; then
        put_back "$1/kill-switch/$KILL_SWITCH" "$KILL_SWITCH_UNIT"
    fi
    systemctl daemon-reload
    if [ -e "$1/kill-switch-active" ]; then
        systemctl enable "$KILL_SWITCH"
        systemctl reload-or-restart "$KILL_SWITCH"
    fi
}

# undo_kill_switch: also where its own script is gone.
undo_kill_switch() {
    for tables in iptables ip6tables; do
        "$tables" -t raw -S OUTPUT 2>/dev/null |
            sed -n "/\"$KILL_SWITCH_COMMENT\"/s/^-A /-w -t raw -D /p" | xargs -r -L 1 "$tables" || return
    done
    for family in -4 -6; do
        ip "$family" route show table main type unreachable 2>/dev/null |
            sed -n "s/^unreachable \([^ ]*\) .*metric $KILL_SWITCH_METRIC\( .*\)\{0,1\}\$/\1/p" | while read -r network; do
            ip "$family" route delete unreachable "$network" metric "$KILL_SWITCH_METRIC" || return
        done || return
        ip -d "$family" rule show 2>/dev/null | sed -n -e '/ proto kernel/!d' \
            -e 's/^0:.* to \([^ ]*\) iif \([^ ]*\) .*lookup local.*/rule delete priority 0 to \1 iif \2 lookup local/p' \
            -e 's/^0:.* to \([^ ]*\) iif .* blackhole.*/rule delete priority 0 to \1 blackhole/p' \
            -e 's/^0:.* to \([^ ]*\) blackhole.*/rule delete priority 0 to \1 blackhole/p' \
            -e '/ to \| ipproto /!s/^0:[[:space:]]*from \([0-9a-f.:]*\) iif \([^ ]*\) .*blackhole.*/rule delete priority 0 from \1 iif \2 blackhole/p' | xargs -r -L 1 ip "$family" || return
    done
}

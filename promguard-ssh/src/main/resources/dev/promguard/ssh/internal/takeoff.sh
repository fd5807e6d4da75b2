# shellcheck shell=sh disable=SC2034,SC2154
# Functions that take PromGuard's parts off a host that stays, by the record that ledger.sh kept. Each goes on where an
# earlier run was cut off.

UFW=/etc/ufw

# things KIND: what is noted of a kind, the last first.
things() {
    [ -r "$LEDGER/things" ] || return 0
    sed -n "s/^$1 //p" "$LEDGER/things" | tac
}

# stopped UNIT: stops and disables it, whether or not its file is still there.
stopped() {
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

off_services() {
    for unit in $(things unit | grep -v '^wg-quick@'); do
        stopped "$unit" || return
    done
}

off_wireguard() {
    for unit in $(things unit | grep '^wg-quick@'); do
        stopped "$unit" || return
        interface=${unit#wg-quick@}
        interface=${interface%.service}
        if ip link show dev "$interface" >/dev/null 2>&1; then
            ip link delete dev "$interface" || {
                WHY="$interface does not go away"
                return 1
            }
        fi
        unfence "$interface" || return
    done
}

# rules_before 4|6 FILE SSH: ufw's file without the rules that PromGuard added, or with the rule that was there before each.
# With ssh, those that admit SSH stay.
rules_before() {
    awk -v family="$1" -v keep="$3" '
        function key(   i, k) {
            k = $5
            for (i = 6; i <= NF && $i !~ /^comment=/; i++) k = k " " $i
            return k
        }
        FILENAME == ARGV[1] {
            if ($1 != "rule" || (keep == "ssh" && $0 ~ / comment OpenSSH$/)) next
            any = family == 4 ? "0.0.0.0/0" : "::/0"
            way = "in"
            for (i = 3; i < NF && $i != "comment"; i++) {
                word = $(i + 1) == "any" ? any : $(i + 1)
                if ($i == "on") way = "in_" word
                else if ($i == "proto") proto = word
                else if ($i == "from") from = word
                else if ($i == "to") to = word
                else if ($i == "port") port = word
            }
            ours[proto " " port " " to " any " from " " way] = 1
            next
        }
        /^### tuple ### / { at = key() }
        FILENAME == ARGV[2] {
            if (at != "") before[at] = before[at] $0 "\n"
            if ($0 == "") at = ""
            next
        }
        /^### tuple ### / && (at in ours) {
            printf "%s", before[at]
            skip = 1
        }
        !skip { print }
        $0 == "" { skip = 0 }
    ' "$LEDGER/things" "$LEDGER/ufw/$2.ufw" "$UFW/$2"
}

tuples() {
    sed -n 's/^### tuple ### //p' "$1" | sort
}

# ufw_files SSH: works out in TMP what ufw's files are to be, and whether others have added rules since.
ufw_files() {
    added=no
    for pair in 4:user.rules 6:user6.rules; do
        file=${pair#*:}
        if [ ! -e "$LEDGER/ufw/$file.ufw" ] || [ ! -e "$UFW/$file" ]; then
            continue
        fi
        rules_before "${pair%%:*}" "$file" "$1" >"$TMP/$file" || return
        tuples "$LEDGER/ufw/$file.ufw" >"$TMP/then" && tuples "$TMP/$file" >"$TMP/now" || return
        if grep -qvxF -f "$TMP/then" "$TMP/now"; then
            added=yes
        fi
        if cmp -s "$TMP/then" "$TMP/now"; then
            cat "$LEDGER/ufw/$file.ufw" >"$TMP/$file" || return
        fi
    done
}

off_firewall() {
    if [ ! -d "$LEDGER/ufw" ] || ! command -v ufw >/dev/null 2>&1; then
        return 0
    fi
    TMP=$(mktemp -d "$STATE/.new.XXXXXX") || return
    ufw_files '' || return
    stays=no
    if [ -e "$LEDGER/ufw/enabled" ]; then
        stays=yes
    elif [ "$added" = yes ]; then
        stays=yes
        ufw_files ssh || return
        say left 'ufw stays on, with the rule that admits SSH: rules were added that are not from PromGuard'
    else
        ufw --force disable || return
    fi
    for file in user.rules user6.rules; do
        if [ -e "$TMP/$file" ]; then
            cat "$TMP/$file" >"$UFW/$file" || return
        fi
    done
    if [ "$stays" = no ] || [ -e "$LEDGER/ufw/enabled" ]; then
        policy=$(grep '^DEFAULT_INPUT_POLICY=' "$LEDGER/ufw/ufw.default")
        [ -z "$policy" ] || sed -i "s/^DEFAULT_INPUT_POLICY=.*/$policy/" /etc/default/ufw || return
    fi
    if [ "$stays" = yes ]; then
        reload_closed || return
    else
        for tables in iptables ip6tables; do
            "$tables" -S INPUT >/dev/null 2>&1 || continue
            without_ufw "$tables" || return
            while read -r line; do
                # shellcheck disable=SC2086
                "$tables" $line || return
            done <"$LEDGER/ufw/$tables"
        done
        case $(cat "$LEDGER/ufw/at-boot") in
            disabled) systemctl disable ufw.service || return ;;
            masked) systemctl mask ufw.service || return ;;
        esac
    fi
    rm -rf "$TMP"
    TMP=
}

off_files() {
    for path in $(things file); do
        rm -f -- "$path" || return
    done
    for path in $(things replaced); do
        rm -f -- "$path" && cp -aT "$LEDGER/files$path" "$path" || return
        say left "$path, put back as it was before"
    done
    for path in $(things tree); do
        rm -rf -- "$path" || return
    done
    rm -rf /opt/promguard/.new.*
    for path in $(things folder); do
        if [ -d "$path" ]; then
            rmdir -- "$path" 2>/dev/null || say left "$path, for it holds what is not from PromGuard"
        fi
    done
    systemctl daemon-reload || return
    for user in $(things user); do
        if getent passwd "$user" >/dev/null; then
            userdel -- "$user" || return
        fi
    done
    for group in $(things group); do
        if getent group "$group" >/dev/null; then
            groupdel -- "$group" || return
        fi
    done
    packages=$(things package | sort | tr '\n' ' ')
    if [ -n "$packages" ]; then
        say left "packages that PromGuard installed: ${packages% }"
    fi
    rm -f "$OWED" "$STATE/written"
    if [ -d "$LEDGER" ]; then
        rm -rf "$STATE/taken-off" && mv -T "$LEDGER" "$STATE/taken-off"
    fi
}

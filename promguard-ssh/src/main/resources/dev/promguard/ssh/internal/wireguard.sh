# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# The WireGuard interface, its keys and peers, and the anti-spoofing rule.

# facts_wireguard INTERFACE KEYFILE: never asks wg for a private key.
facts_wireguard() {
    if command -v wg >/dev/null 2>&1; then
        if [ -n "$(ip -o link show dev "$1" up 2>/dev/null)" ] && key=$(wg show "$1" public-key 2>/dev/null); then
            say wg "$key" "$(wg show "$1" listen-port)"
            facts_peers "$1"
            facts_anti_spoofing "$1"
        fi
        if [ -f "$2" ] && [ ! -L "$2" ] && key=$(wg pubkey <"$2" 2>/dev/null); then
            say key "$key"
        fi
    fi
    stat -c "$N${TAB}keyfile${TAB}%a${TAB}%u:%g${TAB}%F" -- "$2" 2>/dev/null >&3
}

# facts_peers INTERFACE: what wg shows of each peer. Preshared keys that run are compared here with what the files hold that the configuration
# names. No key is printed.
facts_peers() {
    {
        preshared_key_files "$1"
        for what in endpoints allowed-ips latest-handshakes transfer preshared-keys; do
            printf 'show\t%s\n' "$what"
            wg show "$1" "$what"
        done
    } 2>/dev/null | awk -v begin="$N${TAB}peer-" '
        /^show\t/ {
            what = $2
            next
        }
        what == "" {
            file[$1] = $2
            next
        }
        what != "preshared-keys" {
            print begin what "\t" $0
            next
        }
        {
            verdict = "none"
            if ($2 != "(none)") {
                verdict = "other"
                if ($1 in file) {
                    if ((getline key < file[$1]) > 0 && key == $2) verdict = "filed"
                    close(file[$1])
                }
            }
            print begin "preshared-key\t" $1 "\t" verdict
        }' >&3
}

# preshared_key_files INTERFACE: each peer that shares a preshared key, and its file, as the configuration says. The configuration of an
# interface that came up earlier may have them in commands of their own.
preshared_key_files() {
    awk '
        $1 == "PublicKey" { peer = $3 }
        $1 == "#" && $2 == "PresharedKeyFile" { print peer, $4 }
        /^PostUp = wg set %i peer [^ ]+ preshared-key [^ ]+$/ { print $7, $9 }' "/etc/wireguard/$1.conf"
}

# facts_anti_spoofing INTERFACE: the addresses that no other interface may be used to reach.
facts_anti_spoofing() {
    for tables in iptables ip6tables; do
        "$tables" -t raw -S PREROUTING 2>/dev/null
    done | sed -n "s/^-A PREROUTING -d \([^ ]*\) ! -i $1 -m addrtype ! --src-type LOCAL .*-j DROP\$/$N${TAB}anti-spoofing${TAB}\1/p" >&3
}

# apply_key PATH PUBLICKEY: the key comes in base64 on standard input, and is written to the file alone.
apply_key() {
    if [ -d "$1" ]; then
        WHY="$1 is a folder"
        return 1
    fi
    note_path "$1" || return 1
    private_folder "${1%/*}" || return 1
    TMP=$(umask 077 && mktemp "${1%/*}/.promguard.XXXXXX") || return 1
    base64 -d >"$TMP" && chown root:root "$TMP" || return 1
    if [ "$(wg pubkey <"$TMP")" != "$2" ]; then
        WHY='the key that arrived does not belong to the public key wanted'
        return 1
    fi
    put_in_place "$TMP" "$1" || return 1
    TMP=
}

# apply_preshared_keys FOLDER PEER...: lines of a peer and its key come in base64 on standard input, and go to the peers' files.
apply_preshared_keys() {
    folder=$1
    shift
    if [ -L "$folder" ] || { [ -e "$folder" ] && [ ! -d "$folder" ]; }; then
        WHY="$folder is not a folder"
        return 1
    fi
    note_folders "${folder%/*}" && note_tree "$folder" || return 1
    private_folder "${folder%/*}" && private_folder "$folder" || return 1
    TMP=$(umask 077 && mktemp -d "$folder/.promguard.XXXXXX") || return 1
    base64 -d | (
        umask 077
        while IFS=' ' read -r peer key; do
            printf '%s\n' "$key" >"$TMP/$peer" || exit
        done
    ) || return 1
    for peer do
        if [ ! -s "$TMP/$peer" ]; then
            WHY="the preshared key for $peer did not arrive"
            return 1
        fi
    done
    sync "$TMP"/* && mv -f "$TMP"/* "$folder/" && rmdir "$TMP" || return 1
    TMP=
}

# apply_wireguard HOW INTERFACE KEYFILE PUBLICKEY ADDRESS
apply_wireguard() {
    case $1 in
        ENABLE) enable_unit "wg-quick@$2.service" || return ;;
        # Old keys go first: once the interface is up to date, no later run comes by here.
        SYNC)
            forget_preshared_keys "$2" && sync_peers "$2" "$3" && sync_mtu "$2" || return
            ;;
        START) forget_preshared_keys "$2" && bring_up "$2" start || return ;;
        RESTART) forget_preshared_keys "$2" && bring_up "$2" restart || return ;;
    esac
    apply_anti_spoofing "$2" "$5" || return
    if [ "$(wg show "$2" public-key)" != "$4" ]; then
        WHY="$2 runs with another key"
        return 1
    fi
    case $(ip -o addr show dev "$2") in
        *" $5 "*) ;;
        *)
            WHY="$2 has not the address $5"
            return 1
            ;;
    esac
}

# bring_up INTERFACE start|restart: also where somebody brought the interface up, or took it away, without systemd.
bring_up() {
    unit=wg-quick@$1.service
    enable_unit "$unit" || return
    systemctl reset-failed "$unit" 2>/dev/null
    verb=$2
    if systemctl is-active -q "$unit"; then
        verb=restart
    elif ip link show dev "$1" >/dev/null 2>&1; then
        wg-quick down "$1" 2>/dev/null || ip link delete dev "$1" || return
    fi
    systemctl "$verb" "$unit" || {
        WHY="$unit did not come up"
        show_unit "$unit"
        return 1
    }
}

# synced INTERFACE KEYFILE: the running part of the configuration with the keys in it, which wg would clear otherwise. Prints all
# of it or nothing.
synced() {
    wg-quick strip "$1" | awk -v keyfile="$2" '
        function first(path, line) {
            if ((getline line < path) <= 0 || line == "") failed = 1
            close(path)
            return line
        }
        { text = text $0 "\n" }
        $0 == "[Interface]" { text = text "PrivateKey = " first(keyfile) "\n" }
        # What is not said of a peer stays as it is. Where it is said, it comes later and counts.
        $0 == "[Peer]" { text = text "PersistentKeepalive = off\n" }
        $1 == "#" && $2 == "PresharedKeyFile" { text = text "PresharedKey = " first($4) "\n" }
        END {
            if (failed || text == "") exit 1
            printf "%s", text
        }'
}

# sync_peers INTERFACE KEYFILE
sync_peers() {
    running=$(synced "$1" "$2") || {
        WHY="the configuration of $1 or a key that it names cannot be read"
        return 1
    }
    printf '%s\n' "$running" | wg syncconf "$1" /dev/stdin || {
        running=
        WHY='wg syncconf failed'
        return 1
    }
    running=
}

# sync_mtu INTERFACE: as the configuration says, which may have a command that lowers it.
sync_mtu() {
    mtu=$(sed -n 's/^MTU = \([0-9]*\)$/\1/p' "/etc/wireguard/$1.conf") || return
    [ -z "$mtu" ] || ip link set dev "$1" mtu "$mtu" || {
        WHY="$1 does not take the MTU $mtu"
        return 1
    }
    lower=$(sed -n "s/^PostUp = \(for family in .*\) %i mtu\$/\1 $1 mtu/p" "/etc/wireguard/$1.conf")
    [ -z "$lower" ] || sh -c "$lower"
}

# unnamed_preshared_keys INTERFACE: the files of those that the configuration does not name any more.
unnamed_preshared_keys() {
    [ -d "/etc/wireguard/$1.psk" ] || return 0
    named=$(preshared_key_files "$1") || return
    printf '%s\n' "$named" - "/etc/wireguard/$1.psk"/* | awk '
        $0 == "-" {
            files = 1
            next
        }
        !files {
            named[$2] = 1
            next
        }
        !($0 in named)'
}

# facts_preshared_keys INTERFACE: unnamed HOST for each, as where a run was cut off before it removed them.
facts_preshared_keys() {
    unnamed_preshared_keys "$1" 2>/dev/null | while read -r path; do
        case ${path##*/} in *[!a-z0-9-]*) continue ;; esac
        say fact preshared-keys unnamed "${path##*/}"
    done
}

# forget_preshared_keys INTERFACE: removes them.
forget_preshared_keys() {
    unnamed=$(unnamed_preshared_keys "$1") || return
    [ -z "$unnamed" ] || printf '%s\n' "$unnamed" | xargs -r -d '\n' rm -f --
}

# apply_anti_spoofing INTERFACE ADDRESS: drops what comes to the address by another interface, whatever ufw is told. It is the rule that the
# configuration has wg-quick add, who knows it by its comment and takes it away with the interface.
apply_anti_spoofing() {
    tables=iptables
    case $2 in *:*) tables=ip6tables ;; esac
    set -- PREROUTING -d "${2%/*}" ! -i "$1" -m addrtype ! --src-type LOCAL \
        -m comment --comment "wg-quick(8) rule for $1" -j DROP
    "$tables" -w -t raw -C "$@" 2>/dev/null || "$tables" -w -t raw -I "$@" || {
        WHY="$tables could not shut the address off from other interfaces"
        return 1
    }
}

# undo_anti_spoofing INTERFACE: for one that went without wg-quick.
undo_anti_spoofing() {
    for tables in iptables ip6tables; do
        "$tables" -t raw -S PREROUTING 2>/dev/null |
            sed -n "/\"wg-quick(8) rule for $1\"/s/^-A /-w -t raw -D /p" | xargs -r -L 1 "$tables" || return
    done
}

undo_wireguard() {
    for unit in $(manifest_entries unit | grep '^wg-quick@'); do
        interface=${unit#wg-quick@}
        interface=${interface%.service}
        if [ -e "/etc/wireguard/$interface.conf" ] && ! is_own_config "/etc/wireguard/$interface.conf"; then
            forget_noted file "/etc/wireguard/$interface.conf" "/etc/wireguard/$interface.key" || return
            say leftover "$interface with its files, for /etc/wireguard/$interface.conf is not PromGuard's"
            continue
        fi
        stop_unit "$unit" || return
        if ip link show dev "$interface" >/dev/null 2>&1; then
            ip link delete dev "$interface" || {
                WHY="$interface does not go away"
                return 1
            }
        fi
        undo_anti_spoofing "$interface" || return
    done
}

# save_wireguard INTERFACE FOLDER: for a rollback.
save_wireguard() {
    for file in "/etc/wireguard/$1.conf" "/etc/wireguard/$1.key" "/etc/wireguard/$1.psk"; do
        if [ -e "$file" ]; then
            cp -pPR "$file" "$2/wireguard/" || return
        fi
    done
    if systemctl is-active -q "wg-quick@$1.service"; then
        : >"$2/wireguard-active"
        # Somebody took the key file away: the interface could not come up again without the key that it runs with.
        if [ ! -e "$2/wireguard/$1.key" ]; then
            wg show "$1" private-key >"$2/wireguard/$1.key" || return
        fi
    fi
    if systemctl is-enabled -q "wg-quick@$1.service" 2>/dev/null; then
        : >"$2/wireguard-enabled"
    fi
}

# restore_wireguard: the rollback.
restore_wireguard() {
    read -r interface <"$saved/interface"
    [ -n "$interface" ] || return 0
    same=yes
    for name in "$interface.conf" "$interface.key"; do
        if [ -e "$saved/wireguard/$name" ]; then
            if ! cmp -s "$saved/wireguard/$name" "/etc/wireguard/$name"; then
                same=no
                put_back "$saved/wireguard/$name" "/etc/wireguard/$name"
            fi
        elif [ -e "/etc/wireguard/$name" ]; then
            same=no
        fi
    done
    keys=$interface.psk
    if [ -e "$saved/wireguard/$keys" ] || [ -e "/etc/wireguard/$keys" ]; then
        if ! diff -rq "$saved/wireguard/$keys" "/etc/wireguard/$keys" >/dev/null 2>&1; then
            same=no
        fi
    fi
    if [ -e "$saved/wireguard/$keys" ] && [ "$same" = no ]; then
        rm -rf "/etc/wireguard/$keys"
        put_back "$saved/wireguard/$keys" "/etc/wireguard/$keys"
    fi
    if [ ! -e "$saved/wireguard-enabled" ]; then
        systemctl disable "wg-quick@$interface.service"
    fi
    if [ ! -e "$saved/wireguard-active" ]; then
        systemctl stop "wg-quick@$interface.service"
        undo_anti_spoofing "$interface"
    elif [ "$same" = no ] || ! systemctl is-active -q "wg-quick@$interface.service"; then
        if [ -e "$saved/ufw-enabled" ]; then
            systemctl restart "wg-quick@$interface.service"
        else
            # The interface brings up the exporters, which must stay down without a firewall.
            systemctl --job-mode=ignore-dependencies restart "wg-quick@$interface.service"
        fi
    fi
    for name in "$interface.conf" "$interface.key"; do
        [ -e "$saved/wireguard/$name" ] || rm -f "/etc/wireguard/$name"
    done
    [ -e "$saved/wireguard/$keys" ] || rm -rf "/etc/wireguard/$keys"
}

# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# The network interfaces beside the mesh's, which nothing here changes.

# facts_interfaces INTERFACE: configured NAME MESH for each other interface with a configuration of PromGuard's; link KIND MTU if there
# is an interface of the name; keepalive PUBLICKEY SECONDS for each of its peers, 0 for never; tunnel NAME PORT for each other running WireGuard interface, and leads NAME NETWORK for each network of its peers.
facts_interfaces() {
    for config in /etc/wireguard/*.conf; do
        name=${config##*/}
        name=${name%.conf}
        if [ "$name" != "$1" ] && is_own_config "$config"; then
            mesh=${line#'# Kept by PromGuard for mesh '}
            say fact interfaces configured "$name" "${mesh%%:*}"
        fi
    done
    if text=$(ip -d -o link show dev "$1" 2>/dev/null); then
        mtu=${text#* mtu }
        mtu=${mtu%% *}
        case $text in
            *' wireguard '*) say fact interfaces link wireguard "$mtu" ;;
            *' tun '*) say fact interfaces link tun "$mtu" ;;
            *) say fact interfaces link other "$mtu" ;;
        esac
    fi
    command -v wg >/dev/null 2>&1 || return 0
    wg show "$1" persistent-keepalive 2>/dev/null | while read -r peer seconds; do
        [ "$seconds" != off ] || seconds=0
        say fact interfaces keepalive "$peer" "$seconds"
    done
    for name in $(wg show interfaces 2>/dev/null); do
        [ "$name" != "$1" ] || continue
        port=$(wg show "$name" listen-port 2>/dev/null) || continue
        say fact interfaces tunnel "$name" "$port"
        wg show "$name" allowed-ips 2>/dev/null | awk -v begin="$N${TAB}fact${TAB}interfaces${TAB}leads$TAB$name$TAB" '
            { for (i = 2; i <= NF; i++) if ($i ~ /\//) print begin $i }' >&3
    done
}

# is_own_config FILE: whether PromGuard wrote a configuration of wg-quick. Sets its first line.
is_own_config() {
    line=
    [ -f "$1" ] && read -r line <"$1"
    case $line in
        '# Kept by PromGuard for mesh '*) return 0 ;;
        *) return 1 ;;
    esac
}

# own_interface: the WireGuard interface that PromGuard has on the host, by its record, or else by its configuration.
own_interface() {
    own=$(manifest_entries unit | sed -n 's/^wg-quick@\(.*\)\.service$/\1/p' | head -n 1)
    for config in /etc/wireguard/*.conf; do
        if [ -z "$own" ] && is_own_config "$config"; then
            own=${config##*/}
            own=${own%.conf}
        fi
    done
    printf '%s\n' "$own"
}

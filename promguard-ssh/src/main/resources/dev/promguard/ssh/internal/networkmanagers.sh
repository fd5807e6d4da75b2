# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# Programs that configure network interfaces, and how each is told to leave one alone.

# facts_network_managers INTERFACE: networkd or networkmanager for each that runs or comes up at boot, and whether it manages or leaves the
# interface.
facts_network_managers() {
    used_units systemd-networkd.service NetworkManager.service | while read -r unit active; do
        case $unit in
            systemd-*) manager=networkd ;;
            *) manager=networkmanager ;;
        esac
        if [ "$active" = active ] && configures "$manager" "$1"; then
            say fact network-managers "$manager" manages
        else
            say fact network-managers "$manager" leaves
        fi
    done
}

# manager_unit MANAGER
manager_unit() {
    case $1 in
        networkd) echo systemd-networkd.service ;;
        *) echo NetworkManager.service ;;
    esac
}

# manages MANAGER INTERFACE: whether it runs and configures the interface, which is there.
manages() {
    systemctl is-active -q "$(manager_unit "$1")" && configures "$1" "$2"
}

# configures MANAGER INTERFACE: the same of one that runs.
configures() {
    ip link show dev "$2" >/dev/null 2>&1 || return 1
    case $1 in
        networkd)
            case $(networkctl list --no-legend --no-pager "$2" 2>/dev/null) in
                *' configuring' | *' configured' | *' failed') return 0 ;;
            esac
            ;;
        *)
            case $(nmcli -g GENERAL.STATE device show "$2" 2>/dev/null) in
                '' | *unmanaged*) ;;
                *) return 0 ;;
            esac
            ;;
    esac
    return 1
}

# apply_network_manager MANAGER INTERFACE PATH: the file comes in base64 on standard input.
apply_network_manager() {
    apply_file "$3" 0644 root || return
    unit=$(manager_unit "$1")
    systemctl is-active -q "$unit" || return 0
    case $1 in
        networkd) networkctl reload ;;
        *) systemctl reload "$unit" ;;
    esac || {
        WHY="$unit did not reload"
        return 1
    }
    tries=0
    while manages "$1" "$2"; do
        tries=$((tries + 1))
        if [ "$tries" -ge 50 ]; then
            by=$(networkctl status --no-pager "$2" 2>/dev/null | sed -n 's/^ *Network File: //p')
            WHY="$unit still manages $2${by:+, by $by}"
            return 1
        fi
        sleep 0.2
    done
}

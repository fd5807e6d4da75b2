# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# The ports that others reach as long as the firewall is not closed.

# input_closed: whether the kernel drops incoming packets that no rule admits.
input_closed() {
    for tables in iptables ip6tables; do
        input=$("$tables" -S INPUT 2>/dev/null) || [ "$tables" = ip6tables ] || return
        case $input in
            *'-P INPUT DROP'* | '') ;;
            *) return 1 ;;
        esac
    done
}

# other_firewalls: manager UNIT for each firewall of others that is enabled or runs. nftables.service is one only with rules of its own.
other_firewalls() {
    for unit in firewalld.service shorewall.service shorewall6.service nftables.service netfilter-persistent.service; do
        if [ "$unit" = nftables.service ] && ! grep -qsE '^[^#]*(accept|drop|reject|nat|masquerade|jump|include)' /etc/nftables.conf; then
            continue
        fi
        case $(systemctl is-enabled "$unit" 2>/dev/null):$(systemctl is-active "$unit" 2>/dev/null) in
            enabled:* | *:active) say fact served-ports manager "$unit" ;;
        esac
    done
}

# facts_served_ports: manager UNIT, and forwards if ufw would end that the host forwards for others, as long as ufw is not enabled. Nothing else
# if the firewall is closed, else socket PROTOCOL ADDRESS PORT PROGRAM; filter4 RULE, nat4 RULE and written4 RULE,
# each also with 6: the rules for incoming packets, those that send them elsewhere, and those that ufw would load; without-ipv6 if ufw would
# admit nothing over IPv6.
facts_served_ports() {
    if ! grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null; then
        other_firewalls
        if forwards_for_others && ! keeps_forwarding; then
            say fact served-ports forwards
        fi
    fi
    if input_closed; then
        return 0
    fi
    served_sockets
    served_rules 4 iptables ufw /etc/ufw/user.rules
    served_rules 6 ip6tables ufw6 /etc/ufw/user6.rules
    if grep -qix 'IPV6=["'\'']\{0,1\}no["'\'']\{0,1\}' /etc/default/ufw 2>/dev/null; then
        say fact served-ports without-ipv6
    fi
}

# served_sockets: a UDP socket at a port that the kernel hands out to clients is one that serves only if it has an address of its own, its
# program was started with the port in an argument, systemd holds it, or the kernel itself, as for WireGuard.
served_sockets() {
    # The kernel gives such a file to one read alone, and the shell's own reads a byte at a time.
    read -r first last <<RANGE
$(cat /proc/sys/net/ipv4/ip_local_port_range 2>/dev/null || echo 32768 60999)
RANGE
    ss -Hltunp 2>/dev/null | awk '
        {
            socket = $5
            port = socket
            sub(/.*:/, "", port)
            sub(/:[^:]*$/, "", socket)
            program = ""
            pid = "-"
            rest = $0
            while (match(rest, /"[^"]*",pid=[0-9]+/)) {
                entry = substr(rest, RSTART, RLENGTH)
                rest = substr(rest, RSTART + RLENGTH)
                number = entry
                sub(/.*pid=/, "", number)
                sub(/^"/, "", entry)
                sub(/",pid=.*/, "", entry)
                if (program == "" || pid == 1) {
                    program = entry
                    pid = number
                }
            }
            gsub(/[\t|]/, " ", program)
            print $1 "|" socket "|" port "|" pid "|" program
        }' | while IFS='|' read -r protocol socket port pid program; do
        case $port in '' | *[!0-9]*) continue ;; esac
        if [ "$protocol" = udp ] && [ "$port" -ge "$first" ] && [ "$port" -le "$last" ]; then
            case $pid:$socket in
                -:* | 1:*) ;;
                *:'*' | *:0.0.0.0* | *:'[::]'*)
                    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qE "(^|[^0-9])$port([^0-9]|\$)" || continue
                    ;;
            esac
        fi
        if [ "$pid" = 1 ]; then
            unit=$(systemctl list-sockets --all --no-legend --no-pager --plain 2>/dev/null |
                awk -v port=":$port" '{ at = length($1) - length(port) + 1 } at > 0 && substr($1, at) == port { print $2; exit }')
            program=${unit:-$program}
        fi
        say fact served-ports socket "$protocol" "$socket" "$port" "${program:-the kernel}"
    done
}

# served_rules 4|6 IPTABLES CHAIN FILE
served_rules() {
    "$2" -S 2>/dev/null | sed -n -e '/^-A \(FORWARD\|OUTPUT\|ufw6\{0,1\}-[a-z-]*-\(forward\|output\)\) /d' \
        -e '/^-P OUTPUT /d' -e '/^-P FORWARD /d' -e "s/^-[AP] /$N${TAB}fact${TAB}served-ports${TAB}filter$1${TAB}&/p" >&3
    "$2" -t nat -S 2>/dev/null | sed -n -e '/^-A \(OUTPUT\|INPUT\|POSTROUTING\) /d' \
        -e "s/^-A /$N${TAB}fact${TAB}served-ports${TAB}nat$1${TAB}&/p" >&3
    if [ -r "$4" ]; then
        sed -n "s/^-A $3-user-input /$N${TAB}fact${TAB}served-ports${TAB}written$1${TAB}&/p" "$4" >&3
    fi
}

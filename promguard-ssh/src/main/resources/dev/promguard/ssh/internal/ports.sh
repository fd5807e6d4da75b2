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
    used_units firewalld.service shorewall.service shorewall6.service nftables.service netfilter-persistent.service |
        while read -r unit _; do
            if [ "$unit" != nftables.service ] ||
                grep -qsE '^[^#]*(accept|drop|reject|nat|masquerade|jump|include)' /etc/nftables.conf; then
                say fact served-ports manager "$unit"
            fi
        done
}

# facts_served_ports: manager UNIT, and forwards if ufw would end that the host forwards for others, as long as ufw is not enabled. Unless the
# firewall is closed, also socket PROTOCOL ADDRESS PORT PROGRAM, protocol NUMBER NAME FAMILY PROGRAM for protocols without ports, and
# reaches-loopback if rules may send packets from outside to the loopback interface.
facts_served_ports() {
    if ! grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null; then
        other_firewalls
        if would_end_forwarding; then
            say fact served-ports forwards
        fi
    fi
    if input_closed; then
        return 0
    fi
    served_sockets
    served_protocols
    if grep -qsx 1 /proc/sys/net/ipv4/conf/*/route_localnet; then
        say fact served-ports reaches-loopback
    fi
}

# served_protocols: those that programs, tunnels and IPsec take packets of. ICMP, which ufw admits as far as it must be, TCP and UDP are no
# such protocols, and a socket of number 255 only sends.
served_protocols() {
    {
        ss -Hlnwp 2>/dev/null | awk '
            {
                number = $4
                sub(/.*:/, "", number)
                program = "the kernel"
                if (match($0, /"[^"]*"/)) program = substr($0, RSTART + 1, RLENGTH - 2)
                print number, ($4 ~ /^(\[|\*)/ ? 6 : 4), program
            }'
        # On one line each, with what was on lines of their own behind backslashes: the third of these begins with the kind.
        ip -d -o link show up 2>/dev/null | awk '
            BEGIN {
                kinds = split("gre gretap erspan ipip sit vti ip6gre ip6gretap ip6erspan ip6tnl vti6", kind, " ")
                split("47 47 47 4 41 50 47 47 47 41 50", number, " ")
                for (i = 1; i <= kinds; i++) takes[kind[i]] = number[i] " " (kind[i] ~ /6/ ? 6 : 4)
            }
            {
                device = $2
                sub(/[:@].*/, "", device)
                lines = split($0, line, /[\\] */)
                for (i = 3; i <= lines; i++) {
                    split(line[i], word, " ")
                    if (word[1] in takes) print takes[word[1]], device
                }
            }'
        ip xfrm state 2>/dev/null | awk '
            function tell() { if (number != "") print number, family, "IPsec" }
            /^src / {
                tell()
                number = ""
                family = $2 ~ /:/ ? 6 : 4
            }
            $1 == "proto" && $2 == "esp" { number = 50 }
            $1 == "proto" && $2 == "ah" { number = 51 }
            $1 == "encap" { number = "" }
            END { tell() }'
        ss -HlnSp 2>/dev/null | awk '{
            program = "the kernel"
            if (match($0, /"[^"]*"/)) program = substr($0, RSTART + 1, RLENGTH - 2)
            print 132, ($4 ~ /^\[/ ? 6 : 4), program
        }'
    } | sort -u | head -n 100 | while read -r number family program; do
        case $number in '' | *[!0-9]* | 1 | 6 | 17 | 58 | 255) continue ;; esac
        name=$(getent protocols "$number" 2>/dev/null)
        name=${name%%[[:space:]]*}
        case $name in '' | *[!a-z0-9.+-]*) name=$number ;; esac
        say fact served-ports protocol "$number" "$name" "$family" "$program"
    done
}

# told_of_port PID PORT: whether a program was started with a port in an argument, in its environment, or in a file that an argument names.
told_of_port() {
    tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | grep -qE "=(.*[^0-9.])?$2([^0-9.]|\$)" && return
    tr '\0' '\n' <"/proc/$1/cmdline" 2>/dev/null | while read -r word; do
        ! printf '%s\n' "$word" | grep -qE "(^|[^0-9])$2([^0-9]|\$)" || exit 1
        file=${word#*=}
        case $file in
            /*) file=/proc/$1/root$file ;;
            *) file=/proc/$1/cwd/$file ;;
        esac
        [ ! -f "$file" ] || ! head -c 100000 "$file" 2>/dev/null | grep -qaE "^[^#;]*(^|[^0-9.])$2([^0-9.]|\$)" || exit 1
    done
    [ "$?" -eq 1 ]
}

# served_sockets: a UDP socket at a port that the kernel hands out to clients is one that serves only if it has an address of its own, if
# its program was told of the port or has the same port of the other family or of TCP too, which chance does not give, or if systemd holds
# it, or the kernel itself, as for WireGuard.
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
            of = port "|" pid
            sockets[of]++
            begin[NR] = $1 "|" socket "|" of
            key[NR] = of
            name[NR] = program
        }
        END { for (i = 1; i <= NR; i++) print begin[i] "|" (sockets[key[i]] > 1 ? "twin" : "") "|" name[i] }
        ' | while IFS='|' read -r protocol socket port pid twin program; do
        case $port in '' | *[!0-9]*) continue ;; esac
        if [ "$protocol" = udp ] && [ "$port" -ge "$first" ] && [ "$port" -le "$last" ]; then
            case $twin:$pid:$socket in
                twin:* | :-:* | :1:*) ;;
                *:'*' | *:0.0.0.0* | *:'[::]'*) told_of_port "$pid" "$port" || continue ;;
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

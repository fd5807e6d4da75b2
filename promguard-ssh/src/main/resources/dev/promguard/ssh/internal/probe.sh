# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# Tries ports and pages from this host and changes nothing.

# probe SECONDS COUNT [NUMBER ADDRESS PORT]... [NUMBER ADDRESS PORT PATH]...: tries so many ports, and pages, not too many at once. A page that
# is late may be so for all that is tried beside it: it is tried again in peace, unless many are.
probe() {
    seconds=$1
    probe_ports "$@" &
    shift $((2 + 3 * $2))
    late=$(
        pages=0
        while [ $# -gt 0 ]; do
            probe_page "$seconds" "$1" "$2" "$3" "$4" &
            shift 4
            pages=$((pages + 1))
            if [ $((pages % 32)) -eq 0 ]; then
                wait
            fi
        done
        wait
    )
    wait
    [ -n "$late" ] || return 0
    again=no
    [ "$(printf '%s\n' "$late" | wc -l)" -gt 8 ] || again=yes
    printf '%s\n' "$late" | {
        while read -r number address port path seen; do
            if [ "$again" = yes ]; then
                probe_page "$seconds" "$number" "$address" "$port" "$path" yes &
            else
                say page "$number" 28 "$seen"
            fi
        done
        wait
    }
}

# probe_ports SECONDS COUNT [NUMBER ADDRESS PORT]...: connects to so many ports at once, sends nothing and hangs up. Perl is on every Debian
# and Ubuntu, says why there is no connection, and checks once more when the time is up, so that a busy host misses no open port.
probe_ports() {
    if ! command -v perl >/dev/null 2>&1; then
        remaining=$2
        shift 2
        while [ "$remaining" -gt 0 ]; do
            say port "$1" failed
            shift 3
            remaining=$((remaining - 1))
        done
        return
    fi
    # shellcheck disable=SC2016 # it is perl's to read, not the shell's
    perl -e '
        use strict;
        use Errno;
        use Fcntl;
        use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);
        $| = 1;
        my ($start, $seconds, $count, @ports) = @ARGV;
        splice @ports, 3 * $count;
        sub word {
            local $! = shift;
            return "open" if $! == 0;
            return "refused" if $!{ECONNREFUSED};
            return "silent" if $!{ETIMEDOUT};
            my @ways = qw(ENETUNREACH EHOSTUNREACH ENETDOWN EHOSTDOWN EADDRNOTAVAIL EAFNOSUPPORT EACCES EPERM ENOKEY EDESTADDRREQ);
            return (grep { $!{$_} } @ways) ? "noway" : "failed";
        }
        sub answer { print "$start\tport\t$_[0]\t$_[1]\n" }
        while (my @some = splice @ports, 0, 3 * 256) {
            my (%waiting, $mask);
            $mask = "";
            while (my ($number, $address, $port) = splice @some, 0, 3) {
                my $family = $address =~ /:/ ? AF_INET6 : AF_INET;
                my $ip = inet_pton($family, $address);
                my $socket;
                if (!defined $ip) {
                    answer($number, "failed");
                } elsif (!socket($socket, $family, SOCK_STREAM, 0) || !fcntl($socket, F_SETFL, O_NONBLOCK)) {
                    answer($number, word($! + 0));
                } elsif (connect($socket, $family == AF_INET ? pack_sockaddr_in($port, $ip) : pack_sockaddr_in6($port, $ip))) {
                    answer($number, "open");
                } elsif ($!{EINPROGRESS}) {
                    $waiting{fileno $socket} = [$number, $socket];
                    vec($mask, fileno $socket, 1) = 1;
                } else {
                    answer($number, word($! + 0));
                }
            }
            my $remaining = $seconds;
            for (my $last = 0; %waiting && !$last;) {
                $last = $remaining <= 0;
                my $ready = $mask;
                (undef, $remaining) = select(undef, $ready, undef, $last ? 0 : $remaining);
                for my $file (grep { vec($ready, $_, 1) } keys %waiting) {
                    my ($number, $socket) = @{delete $waiting{$file}};
                    vec($mask, $file, 1) = 0;
                    answer($number, word(unpack("i", getsockopt($socket, SOL_SOCKET, SO_ERROR))));
                }
            }
            answer($_->[0], "silent") for values %waiting;
        }' "$N" "$@" >&3
}

# scan_host_keys SECONDS ADDRESS PORT: which host keys an SSH server proves. ssh-keyscan comes with every OpenSSH client.
scan_host_keys() {
    command -v ssh-keyscan >/dev/null 2>&1 || return 0
    ssh-keyscan -T "$1" -p "$3" -- "$2" 2>/dev/null | while read -r _ type key _; do
        case $type in
            ssh-rsa | ssh-ed25519 | ecdsa-sha2-nistp*) say scanned "$type" "$key" ;;
        esac
    done
}

# probe_page SECONDS NUMBER ADDRESS PORT PATH [LAST]: fetches a page and counts its bytes. Prints one that is late, and tells of it only if this
# was the last time.
probe_page() {
    case $3 in
        *:*) at="[$3]:$4" ;;
        *) at=$3:$4 ;;
    esac
    seen=$(curl -q -s -g -o /dev/null --noproxy '*' --connect-timeout "$1" -m $((3 * $1)) \
        -w '%{http_code} %{size_download} %{time_connect}' "http://$at$5" 2>/dev/null)
    code=$?
    if [ "$code" -eq 28 ] && [ -z "${6-}" ]; then
        printf '%s\n' "$2 $3 $4 $5 $seen"
    else
        say page "$2" "$code" "$seen"
    fi
}

#!/bin/sh
# Puts back the firewall, the WireGuard interface and the SSH host keys as they were before a change that nobody confirmed.
# What exports is stopped first, so that nothing answers while the firewall is on its way back.
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
state=/var/lib/promguard
saved=$state/rolling-back
mv -T "$state/rollback" "$saved" 2>/dev/null || [ -d "$saved" ] || exit 0

# A run that is still at work ends at its next step, and must not go on opening what is closed here. In a run that brings an earlier
# rollback to its end, the lock is held already.
[ -e /proc/self/fd/9 ] || ! true >>/run/promguard.lock || exec 9>>/run/promguard.lock
flock -w 30 9
[ -d "$saved" ] || exit 0

while read -r unit active; do
    systemctl stop "$unit"
    if [ "$active" = no ]; then
        systemctl disable "$unit"
    fi
done <"$saved/units"
if [ ! -e "$saved/ufw-enabled" ]; then
    for file in /etc/systemd/system/*.service; do
        [ -f "$file" ] || continue
        line=
        read -r line <"$file"
        case $line in
            '# Kept by PromGuard for mesh '*) systemctl stop "${file##*/}" ;;
        esac
    done
fi

restore_ufw() {
    for copy in "$saved"/ufw/*; do
        [ -e "$copy" ] || continue
        cp -pP "$copy" "/$(printf %s "${copy##*/}" | tr : /)"
    done
}

if [ -e "$saved/ufw-enabled" ]; then
    restore_ufw
    for tables in iptables ip6tables; do
        "$tables" -S INPUT >/dev/null 2>&1 || continue
        "$tables" -P INPUT DROP
        "$tables-save" -t filter | grep -v -e '^:ufw' -e '-[AI] ufw' -e '-j ufw' | "$tables-restore"
    done
    /lib/ufw/ufw-init start
elif command -v ufw >/dev/null 2>&1; then
    ufw --force disable
    restore_ufw
fi

read -r interface <"$saved/interface"
same=yes
for name in "$interface.conf" "$interface.key"; do
    if [ -e "$saved/wireguard/$name" ]; then
        if ! cmp -s "$saved/wireguard/$name" "/etc/wireguard/$name"; then
            same=no
            cp -pP "$saved/wireguard/$name" "/etc/wireguard/$name"
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
    cp -pPR "$saved/wireguard/$keys" "/etc/wireguard/$keys"
fi
if [ ! -e "$saved/wireguard-enabled" ]; then
    systemctl disable "wg-quick@$interface.service"
fi
if [ ! -e "$saved/wireguard-active" ]; then
    systemctl stop "wg-quick@$interface.service"
    for tables in iptables ip6tables; do
        "$tables" -t raw -S PREROUTING 2>/dev/null |
            sed -n "/\"wg-quick(8) rule for $interface\"/s/^-A /-w -t raw -D /p" | xargs -r -L 1 "$tables"
    done
elif [ "$same" = no ] || ! systemctl is-active -q "wg-quick@$interface.service"; then
    systemctl restart "wg-quick@$interface.service"
fi
for name in "$interface.conf" "$interface.key"; do
    [ -e "$saved/wireguard/$name" ] || rm -f "/etc/wireguard/$name"
done
[ -e "$saved/wireguard/$keys" ] || rm -rf "/etc/wireguard/$keys"

changed=no
for key in "$saved"/ssh/*; do
    cmp -s "$key" "/etc/ssh/${key##*/}" || changed=yes
done
if [ "$changed" = yes ]; then
    cp -pP "$saved"/ssh/* /etc/ssh/
    if systemctl is-active -q ssh.service; then
        systemctl reload ssh.service
    fi
fi

if [ -e "$saved/ufw-enabled" ]; then
    while read -r unit active; do
        if [ "$active" = yes ]; then
            systemctl start "$unit"
        fi
    done <"$saved/units"
fi
if [ -d "$state/taken-off" ] && [ ! -d "$state/before" ]; then
    mv -T "$state/taken-off" "$state/before"
fi
: >"$state/rolled-back"
rm -f /etc/systemd/system/promguard-rollback-boot.service /etc/systemd/system/promguard-rollback-boot.timer \
    /etc/systemd/system/timers.target.wants/promguard-rollback-boot.timer
rm -rf "$saved"

# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# The SSH host key.

# facts_outdated_key FINGERPRINT: whether this connection is from before a rollback that gave the host another key than the one which was
# shown to it.
facts_outdated_key() {
    [ -e "$STATE/rolled-back" ] || return 1
    for key in /etc/ssh/ssh_host_*_key.pub; do
        case $(ssh-keygen -lf "$key" 2>/dev/null) in *" $1 "*) return 1 ;; esac
    done
}

# apply_host_key: shows the new key, and uses it only after the answer that it was written down.
apply_host_key() {
    mkdir -p /run/sshd || return
    sshd -T 2>/dev/null | grep -qix 'hostkey /etc/ssh/ssh_host_ed25519_key' || {
        WHY='the configuration of sshd does not use /etc/ssh/ssh_host_ed25519_key'
        return 1
    }
    TMP=$(mktemp -d /etc/ssh/.promguard.XXXXXX) || return
    ssh-keygen -q -t ed25519 -N '' -C '' -f "$TMP/key" || return
    read -r type blob _ <"$TMP/key.pub"
    say hostkey "$number" "$type" "$blob"
    answer=$(timeout 120 head -n 1 <&4)
    if [ "$answer" != "go $N" ]; then
        WHY='no leave came to use the new host key'
        return 1
    fi
    chmod 0644 "$TMP/key.pub" && put_in_place "$TMP/key.pub" /etc/ssh/ssh_host_ed25519_key.pub || return
    put_in_place "$TMP/key" /etc/ssh/ssh_host_ed25519_key || return
    sync /etc/ssh || return
    rm -rf "$TMP"
    TMP=
    for key in /etc/ssh/ssh_host_*_key; do
        if [ "$key" != /etc/ssh/ssh_host_ed25519_key ]; then
            rm -f "$key" "$key.pub"
        fi
    done
    sshd -t || {
        WHY='sshd refuses its configuration'
        return 1
    }
    if systemctl is-active -q ssh.service; then
        systemctl reload ssh.service || return
    fi
}

# restore_host_keys: the rollback.
restore_host_keys() {
    changed=no
    for key in "$saved"/ssh/*; do
        if [ -e "$key" ] && ! cmp -s "$key" "/etc/ssh/${key##*/}"; then
            changed=yes
            put_back "$key" "/etc/ssh/${key##*/}"
        fi
    done
    if [ "$changed" = yes ]; then
        if systemctl is-active -q ssh.service; then
            systemctl reload ssh.service
        fi
    fi
}

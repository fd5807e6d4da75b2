#!/bin/sh
# Run by mmdebstrap with the new root as $1 and a folder for the release packages as $2, or nothing where none are wanted.
# Turns a minimal Debian into what a stock droplet is, as far as a mesh can tell.
set -eu
root=$1
releases=${2-}

# A droplet has a kernel package, which is what provides wireguard-modules. A machine here shares the host's kernel.
package=$(mktemp -d)
mkdir -p "$package/DEBIAN"
cat >"$package/DEBIAN/control" <<'CONTROL'
Package: local-cloud-kernel
Version: 1.0
Architecture: all
Maintainer: PromGuard local cloud <root@localhost>
Provides: linux-image, wireguard-modules (= 1.0.20201112)
Description: stands for the kernel that a machine of the local cloud shares with its host
CONTROL
chmod 755 "$package" "$package/DEBIAN"
dpkg-deb --build --root-owner-group "$package" "$root/tmp/local-cloud-kernel.deb" >/dev/null
chroot "$root" dpkg -i /tmp/local-cloud-kernel.deb >/dev/null
rm -rf "$root/tmp/local-cloud-kernel.deb" "$package"

# Throwaway machines: no fsync in dpkg. Downloaded packages stay, so that installing them needs no network.
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/local-cloud"
chroot "$root" apt-get clean
chroot "$root" apt-get -qq -y --download-only --no-install-recommends install ufw wireguard-tools wireguard prometheus-blackbox-exporter

# The pages that Debian's Prometheus shows are read from files of its package and of others. One of those has 214 MB, and so only the
# scripts, styles and fonts that the pages load are taken. Debian's 3.x has no pages.
mkdir "$root/tmp/pages"
chroot "$root" sh -c 'cd /tmp/pages && apt-get -qq -o APT::Sandbox::User=root download prometheus $(apt-cache depends --recurse \
    --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances prometheus |
    grep -E "^(libjs-|fonts-glyphicons)" | sort -u)'
for deb in "$root"/tmp/pages/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" >"$root/tmp/pages/tree.tar"
    tar -tf "$root/tmp/pages/tree.tar" >"$root/tmp/pages/all"
    grep -E '^\./usr/share/prometheus/web/|\.min\.(js|css)$|/jquery\.hotkeys\.js$|^\./usr/share/javascript/popper\.js$|/glyphicons-halflings-regular\.' \
        "$root/tmp/pages/all" >"$root/tmp/pages/wanted" || [ $? -eq 1 ]
    tar -xf "$root/tmp/pages/tree.tar" -C "$root" --no-recursion -T "$root/tmp/pages/wanted"
done
rm -r "$root/tmp/pages"
# The pages load it as a plain script, and Debian's link leads to the one that is a module.
ln -sfn ../nodejs/popper.js/dist/umd "$root/usr/share/javascript/popper.js"

if [ -n "$releases" ]; then
    mkdir "$root/tmp/releases"
    chroot "$root" sh -c 'cd /tmp/releases && apt-get -qq -o APT::Sandbox::User=root download prometheus prometheus-node-exporter prometheus-blackbox-exporter'
    # Debian 13 has promtool in a package of its own.
    if chroot "$root" apt-cache show promtool >/dev/null 2>&1; then
        chroot "$root" sh -c 'cd /tmp/releases && apt-get -qq -o APT::Sandbox::User=root download promtool'
    fi
    mv "$root/tmp/releases"/*.deb "$releases/"
    rmdir "$root/tmp/releases"
fi

mkdir -p "$root/etc/cloud/cloud.cfg.d"
cat >"$root/etc/cloud/cloud.cfg.d/99-local-cloud.cfg" <<'CLOUD'
datasource_list: [NoCloud]
network: {config: disabled}
disable_root: false
users: []
manage_etc_hosts: true
no_ssh_fingerprints: true
# As the distribution has them, but for what no namespace has: a boot loader, disks that grow, a console that is read; and for
# what the image has already: a locale, sources of packages, no passwords. What the third stage does is done by the fourth.
cloud_init_modules: [migrator, seed_random, bootcmd, write-files, set_hostname, update_hostname, update_etc_hosts, ca-certs,
  rsyslog, users-groups, ssh]
cloud_config_modules: []
cloud_final_modules: [ssh-import-id, apt-pipelining, ntp, timezone, disable-ec2-metadata, runcmd,
  package-update-upgrade-install, write-files-deferred, scripts-vendor, scripts-per-once, scripts-per-boot,
  scripts-per-instance, scripts-user, phone-home, final-message, power-state-change]
CLOUD

# Until Debian 13, each of cloud-init's four stages is a Python of its own, which takes longer to start than to do its work. The first
# stage is there for networks that cloud-init sets up, and the third has nothing left to do.
if [ ! -e "$root/usr/lib/systemd/system/cloud-init-main.service" ]; then
    ln -s /dev/null "$root/etc/systemd/system/cloud-init-local.service"
    ln -s /dev/null "$root/etc/systemd/system/cloud-config.service"
fi

echo 'LANG=C.UTF-8' >"$root/etc/default/locale"

# A machine has the clock of the one that it runs on. A droplet's is set by systemd-timesyncd, which leaves this file.
printf '%s\n' 'd /run/systemd/timesync 0755' 'f /run/systemd/timesync/synchronized 0644' >"$root/etc/tmpfiles.d/local-cloud.conf"

rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id"
: >"$root/etc/machine-id"
: >"$root/etc/hostname"

# What only costs processor time on a machine that lives for minutes.
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service dpkg-db-backup.timer \
    fstrim.timer console-getty.service getty@.service systemd-networkd-wait-online.service cloud-init-hotplugd.socket \
    sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount \
    modprobe@.service systemd-modules-load.service systemd-remount-fs.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

# Nor has a machine here disks to find, a kernel command line of its own, a terminal, old init scripts or somebody who reads a greeting;
# each of these runs whenever systemd reads its units anew, or whenever somebody logs in.
mkdir -p "$root/etc/systemd/system-generators"
for generator in cryptsetup debug fstab getty gpt-auto hibernate-resume integritysetup rc-local run ssh system-update sysv tpm2 \
    veritysetup; do
    ln -sf /dev/null "$root/etc/systemd/system-generators/systemd-$generator-generator"
done
sed -i -e '/pam_motd/d' -e '/pam_mail/d' "$root/etc/pam.d/sshd"

package dev.promguard.digitalocean;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Bodies of answers, with every field that the API's contract asks for. */
final class Bodies {
    static final String MESH = "shop";
    static final String MESH_TAG = "promguard:mesh:shop";
    static final String ATTEMPT_TAG = "promguard:attempt:shop:a1b2";

    private Bodies() {}

    static String account(int limit, String status) {
        return """
                {"account":{"droplet_limit":%d,"floating_ip_limit":3,"email":"a@example.com","name":"A","uuid":"b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
                "email_verified":true,"status":"%s","status_message":""}}""".formatted(limit, status);
    }

    static String key(long id, String name, String fingerprint, String line) {
        return """
                {"ssh_key":{"id":%d,"fingerprint":"%s","public_key":"%s","name":"%s"}}""".formatted(id, fingerprint, line, name);
    }

    static String listedKey(long id, String name, String fingerprint, String line) {
        String key = key(id, name, fingerprint, line);
        return key.substring("{\"ssh_key\":".length(), key.length() - 1);
    }

    static String region(String slug, boolean available) {
        return """
                {"name":"%s","slug":"%s","features":["ipv6"],"available":%b,"sizes":["s-1vcpu-1gb"]}""".formatted(slug, slug, available);
    }

    static String size(String slug, boolean available, int disk, String monthly, String hourly, String... regions) {
        return """
                {"slug":"%s","memory":1024,"vcpus":1,"disk":%d,"transfer":1,"price_monthly":%s,"price_hourly":%s,"regions":[%s],
                "available":%b,"description":"Basic"}""".formatted(slug, disk, monthly, hourly, quoted(List.of(regions)), available);
    }

    static String vpc(String id, String region) {
        return """
                {"vpc":{"id":"%s","urn":"do:vpc:%s","name":"inner","description":"","region":"%s","ip_range":"10.10.10.0/24",\
                "created_at":"2026-03-13T19:20:47Z","default":false}}""".formatted(id, id, region);
    }

    /** A firewall as the API shows it: all ports as 0. */
    static String firewall(String id, String name, String tag, String sshFrom, int wireGuard) {
        return """
                {"id":"%s","name":"%s","status":"succeeded","created_at":"2026-05-23T21:24:00Z","pending_changes":[],"droplet_ids":[],"tags":[%s],\
                "inbound_rules":[{"protocol":"tcp","ports":"22","sources":{"addresses":[%s]}},\
                {"protocol":"udp","ports":"%d","sources":{"addresses":["0.0.0.0/0","::/0"]}}],\
                "outbound_rules":[{"protocol":"tcp","ports":"0","destinations":{"addresses":["0.0.0.0/0","::/0"]}},\
                {"protocol":"udp","ports":"0","destinations":{"addresses":["0.0.0.0/0","::/0"]}}]}""".formatted(id, name, quoted(List.of(tag)), quoted(List.of(sshFrom.split(","))), wireGuard);
    }

    static String image(String slug, int minDisk, String... regions) {
        return """
                {"id":7555620,"name":"12 x64","distribution":"Debian","slug":"%s","public":true,"regions":[%s],"created_at":"2024-05-15T05:47:50Z",
                "type":"snapshot","min_disk_size":%d,"size_gigabytes":2.36,"description":"","tags":[],"status":"available","error_message":""}""".formatted(slug, quoted(List.of(regions)), minDisk);
    }

    static String tag(String name, int count) {
        return """
                {"name":"%s","resources":{"count":%d,"droplets":{"count":%d}}}""".formatted(name, count, count);
    }

    static String action(long id, String type, String status) {
        return """
                {"id":%d,"status":"%s","type":"%s","started_at":"2026-11-23T10:00:00Z","completed_at":null,"resource_id":3164444,
                "resource_type":"droplet","region":%s,"region_slug":"tor1"}""".formatted(id, status, type, region("tor1", true));
    }

    /** A droplet of the mesh that is running at 203.0.113.x. */
    static String active(long id, String name) {
        return droplet(id, name, "active", address(id), MESH_TAG, ATTEMPT_TAG, "promguard", "promguard:role:node");
    }

    /** A droplet of the mesh that was just accepted. */
    static String fresh(long id, String name) {
        return droplet(id, name, "new", "", MESH_TAG, ATTEMPT_TAG, "promguard", "promguard:role:node");
    }

    static String address(long id) {
        return privateV4("10.118.0." + id % 250) + "," + publicV4("203.0.113." + id % 250);
    }

    static String publicV4(String address) {
        return """
                {"ip_address":"%s","netmask":"255.255.240.0","gateway":"203.0.113.254","type":"public"}""".formatted(address);
    }

    static String privateV4(String address) {
        return """
                {"ip_address":"%s","netmask":"255.255.240.0","gateway":"10.118.0.254","type":"private"}""".formatted(address);
    }

    static String droplet(long id, String name, String status, String v4, String... tags) {
        return """
                {"id":%d,"name":"%s","memory":1024,"vcpus":1,"disk":25,"locked":false,"status":"%s","created_at":"2026-11-23T10:00:00Z",
                "features":["droplet_agent"],"backup_ids":[],"next_backup_window":null,"snapshot_ids":[],"image":%s,"volume_ids":[],
                "size":%s,"size_slug":"s-1vcpu-1gb","networks":{"v4":[%s],"v6":[]},"region":%s,"tags":[%s],
                "vpc_uuid":"760e09ef-dc84-11e8-981e-3cfdfeaae000"}""".formatted(
                        id,
                        name,
                        status,
                        image("debian-12-x64", 10, "fra1", "lon1", "tor1"),
                        size("s-1vcpu-1gb", true, 25, "6", "0.00893", "fra1", "lon1", "tor1"),
                        v4,
                        region("tor1", true),
                        quoted(List.of(tags)));
    }

    /** A whole list, on one page. */
    static String list(String field, String... items) {
        return page(field, "{}", items.length, items);
    }

    static String page(String field, String links, int total, String... items) {
        return """
                {"%s":[%s],"links":%s,"meta":{"total":%d}}""".formatted(field, String.join(",", items), links, total);
    }

    static String droplets(String... droplets) {
        return list("droplets", droplets);
    }

    /** What a create call for several names is answered with. */
    static String created(String... droplets) {
        return """
                {"droplets":[%s],"links":{"actions":[%s]}}""".formatted(
                String.join(",", droplets), Stream.of(droplets).map(one -> """
                                {"id":36805022,"rel":"multiple_create","href":"https://api.digitalocean.com/v2/actions/36805022"}""").collect(Collectors.joining(",")));
    }

    static String error(String id, String message, String requestId) {
        return """
                {"id":"%s","message":"%s","request_id":"%s"}""".formatted(id, message, requestId);
    }

    private static String quoted(List<String> words) {
        return words.stream().map(word -> '"' + word + '"').collect(Collectors.joining(","));
    }
}

package dev.promguard.examples.localcloud;

import java.io.IOException;
import java.time.Duration;

/** Starts a local cloud with one droplet in a JVM of its own, and waits to be killed. */
final class AbandonedCloud {
    private AbandonedCloud() {}

    public static void main(String... arguments) throws IOException, InterruptedException {
        try (LocalCloud cloud = LocalCloud.start()) {
            new Api(cloud.endpoint(), cloud.token())
                    .post(
                            "v2/droplets",
                            "{\"name\":\"orphan\",\"region\":\"lon1\",\"size\":\"s-1vcpu-1gb\",\"image\":\"debian-12-x64\"}");
            Await.until(
                    Duration.ofMinutes(1),
                    "the droplet",
                    () -> cloud.droplets().stream().anyMatch(LocalDroplet::running));
            System.out.println("ready " + cloud.name() + " " + cloud.subnet());
            if (System.in.read() < 0) {
                System.out.println("the parent is gone");
            }
        }
    }
}

package dev.promguard.examples.localcloud;

import dev.promguard.InvalidSettingException;
import dev.promguard.blueprint.Names;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What a local cloud is started with; see {@link LocalCloud.Builder}. */
final class LocalCloudOptions {
    Path cache = ImageCache.FOLDER;

    @Nullable
    String subnet;

    String suite = "bookworm";
    boolean ownReleases;
    List<String> installed = List.of();
    List<String> ready = List.of();
    int dropletLimit = 25;
    int hourlyLimit = 5000;
    int minuteLimit = Integer.MAX_VALUE;
    boolean recordsOnly;
    Faults faults = new Faults();
    Catalog catalog = Catalog.usual();
    Consumer<String> progress = line -> {};
    Consumer<Exchange> observer = exchange -> {};

    LocalCloudOptions copy() {
        LocalCloudOptions copy = new LocalCloudOptions();
        copy.cache = cache;
        copy.subnet = subnet;
        copy.suite = suite;
        copy.ownReleases = ownReleases;
        copy.installed = installed;
        copy.ready = ready;
        copy.dropletLimit = dropletLimit;
        copy.hourlyLimit = hourlyLimit;
        copy.minuteLimit = minuteLimit;
        copy.recordsOnly = recordsOnly;
        copy.faults = new Faults();
        copy.catalog = catalog;
        copy.progress = progress;
        copy.observer = observer;
        return copy;
    }

    static String knownSuite(String suite) {
        if (!List.of("bookworm", "trixie").contains(suite)) {
            throw new InvalidSettingException("suite " + Names.quote(suite) + " is not known: use bookworm or trixie");
        }
        return suite;
    }

    static List<String> knownPackages(String... packages) {
        for (String name : packages) {
            if (!name.matches("[a-z0-9][a-z0-9+.-]+")) {
                throw new InvalidSettingException("package " + Names.quote(name)
                        + " is not a package's name: use one as Debian has them, such as jq");
            }
        }
        return List.of(packages);
    }

    static int atLeast(int least, String what, int value) {
        if (value < least) {
            throw new InvalidSettingException(what + " " + value + " is out of range: use " + least + " or more");
        }
        return value;
    }

    static ThreadFactory daemons(String name) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}

package dev.promguard.digitalocean;

import dev.promguard.blueprint.Names;
import dev.promguard.digitalocean.internal.Answers;
import dev.promguard.spi.HostOrder;
import dev.promguard.spi.Price;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What DigitalOcean offers: regions, sizes and images, by slug, and which go together. */
record Offer(Map<String, Answers.Region> regions, Map<String, Answers.Size> sizes, Map<String, Answers.Image> images) {
    private static final int CHOICES = 5;
    private static final int MOST_DIGITS = 12;

    static Offer of(List<Answers.Region> regions, List<Answers.Size> sizes, List<Answers.Image> images) {
        return new Offer(
                bySlug(regions, Answers.Region::slug),
                bySlug(sizes, Answers.Size::slug),
                bySlug(images, Answers.Image::slug));
    }

    private static <T> Map<String, T> bySlug(List<T> all, Function<T, @Nullable String> slug) {
        Map<String, T> bySlug = new TreeMap<>();
        for (T one : all) {
            String name = slug.apply(one);
            // Anything of another form cannot be ordered, and is not shown.
            if (name != null && Names.isWord(name)) {
                bySlug.put(name, one);
            }
        }
        return bySlug;
    }

    /** The price of a size, if it is known. */
    Optional<Price> price(String slug) {
        return price(sizes.get(slug));
    }

    static Optional<Price> price(Answers.@Nullable Size size) {
        if (size == null || !isSensible(size.monthly()) || !isSensible(size.hourly())) {
            return Optional.empty();
        }
        // The API's prices are binary floats in decimal dress, such as 0.00743999984115362.
        return Optional.of(new Price(
                Objects.requireNonNull(size.monthly()).setScale(2, RoundingMode.HALF_UP),
                Objects.requireNonNull(size.hourly()).setScale(5, RoundingMode.HALF_UP)));
    }

    private static boolean isSensible(@Nullable BigDecimal price) {
        return price != null && price.signum() >= 0 && price.precision() - price.scale() <= MOST_DIGITS;
    }

    /** Adds all problems of a host, each with the nearest valid choices. */
    void check(HostOrder order, List<String> problems) {
        Answers.Region region = regions.get(order.region());
        Answers.Size size = sizes.get(order.size());
        Answers.Image image = images.get(order.image());
        boolean placeable = region != null && region.available();
        if (!placeable) {
            String what = region == null ? "does not exist" : "takes no new droplets";
            problems.add(problem("region", order.region(), order, what)
                    + nearest(order.region(), slugs(regions, Answers.Region::available)));
        }
        if (size == null || !size.available()) {
            String what = size == null ? "does not exist" : "is not offered any more";
            problems.add(problem("size", order.size(), order, what)
                    + nearest(order.size(), sizesFor(placeable ? order.region() : null, image)));
        } else if (placeable && !isIn(size.regions(), order.region())) {
            problems.add(problem("size", order.size(), order, "is not offered in " + order.region())
                    + nearest(order.size(), sizesFor(order.region(), image)) + "; it is in "
                    + listed(open(size.regions())));
        }
        if (image == null) {
            problems.add(problem("image", order.image(), order, "does not exist")
                    + nearest(order.image(), imagesFor(placeable ? order.region() : null)));
            return;
        }
        if (placeable && !isIn(image.regions(), order.region())) {
            problems.add(problem("image", order.image(), order, "is not in " + order.region())
                    + nearest(order.image(), imagesFor(order.region())) + "; it is in "
                    + listed(open(image.regions())));
        }
        if (size != null && size.available() && size.disk() < image.minDiskSize()) {
            problems.add(problem(
                            "size",
                            order.size(),
                            order,
                            "has a disk of " + size.disk() + " GB, and image " + order.image() + " wants "
                                    + image.minDiskSize())
                    + nearest(order.size(), sizesFor(placeable ? order.region() : null, image)));
        }
    }

    private static String problem(String field, String value, HostOrder order, String what) {
        return field + ' ' + Names.quote(value) + " of " + order.name() + ' ' + what;
    }

    private List<String> sizesFor(@Nullable String region, Answers.@Nullable Image image) {
        return slugs(
                sizes,
                size -> size.available()
                        && (region == null || isIn(size.regions(), region))
                        && (image == null || size.disk() >= image.minDiskSize()));
    }

    private List<String> imagesFor(@Nullable String region) {
        return slugs(images, image -> region == null || isIn(image.regions(), region));
    }

    private Collection<String> open(@Nullable List<String> slugs) {
        return Stream.ofNullable(slugs)
                .flatMap(List::stream)
                .filter(slug -> {
                    Answers.Region region = regions.get(slug);
                    return region != null && region.available();
                })
                .sorted()
                .toList();
    }

    /** Where the API does not say, the create call will. */
    private static boolean isIn(@Nullable List<String> slugs, String region) {
        return slugs == null || slugs.contains(region);
    }

    private static <T> List<String> slugs(Map<String, T> all, Predicate<T> fit) {
        return all.entrySet().stream()
                .filter(entry -> fit.test(entry.getValue()))
                .map(Map.Entry::getKey)
                .toList();
    }

    private static String nearest(String value, List<String> choices) {
        return ": nearest are " + listed(Names.nearest(value, choices, CHOICES));
    }

    private static String listed(Collection<String> slugs) {
        return slugs.isEmpty() ? "none" : String.join(", ", slugs);
    }
}

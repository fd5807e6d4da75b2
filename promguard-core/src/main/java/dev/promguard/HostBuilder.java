package dev.promguard;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Says how one host is to be. What is not said is taken from the mesh's defaults. Not thread-safe. */
public final class HostBuilder {
    private @Nullable String region;
    private @Nullable String size;
    private @Nullable String image;

    HostBuilder() {}

    /**
     * Where the host is to be.
     *
     * @param value the provider's word for a region, such as {@code fra1}
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public HostBuilder region(String value) {
        region = Objects.requireNonNull(value, "region");
        return this;
    }

    /**
     * How large the host is to be.
     *
     * @param value the provider's word for a size, such as {@code s-2vcpu-4gb}
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public HostBuilder size(String value) {
        size = Objects.requireNonNull(value, "size");
        return this;
    }

    /**
     * What the host is to run: an image of Debian or Ubuntu.
     *
     * @param value the provider's word for an image, such as {@code debian-12-x64}
     * @return this builder
     * @throws NullPointerException if {@code value} is null
     */
    public HostBuilder image(String value) {
        image = Objects.requireNonNull(value, "image");
        return this;
    }

    @Nullable
    String region() {
        return region;
    }

    @Nullable
    String size() {
        return size;
    }

    @Nullable
    String image() {
        return image;
    }
}

package dev.promguard;

import dev.promguard.keys.SshKeyPair;
import dev.promguard.spi.Identity;
import java.security.SecureRandom;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A verb in a world of its own, and the one that is run when it was broken.
 *
 * @param name what it is
 * @param before makes the world, with what there is to be at the end
 * @param verb the verb
 * @param again the verb that ends what the first has begun
 */
record Story(String name, Supplier<World> before, Consumer<MeshBuilder> verb, Consumer<MeshBuilder> again) {
    private static final SshKeyPair MINE = SshKeyPair.generate(new SecureRandom());

    Story(String name, Supplier<World> before, Consumer<MeshBuilder> verb) {
        this(name, before, verb, verb);
    }

    /** Every verb that changes something. */
    static Stream<Story> all() {
        return Stream.of(
                new Story("first apply", () -> new CloudWorld(2), MeshBuilder::apply),
                new Story("growth", () -> CloudWorld.applied(1).resize(2), MeshBuilder::apply),
                new Story("change of the spec", () -> CloudWorld.applied(1).port(51_999), MeshBuilder::apply),
                new Story(
                        "rotation",
                        () -> CloudWorld.applied(1),
                        mesh -> mesh.build().rotateKeys()),
                new Story(
                        "removal",
                        () -> CloudWorld.applied(2).resize(1),
                        mesh -> mesh.allowRemoval().apply()),
                new Story(
                        "replacement",
                        () -> CloudWorld.applied(1),
                        mesh -> mesh.build().replace("shop-node-1"),
                        MeshBuilder::apply),
                new Story(
                        "destroy",
                        () -> CloudWorld.applied(2).gone(true),
                        mesh -> mesh.build().destroy()),
                new Story(
                        "destroy of a first apply",
                        () -> new CloudWorld(1).gone(true),
                        MeshBuilder::apply,
                        mesh -> mesh.build().destroy()),
                new Story(
                        "recovery of a lost state",
                        () -> CloudWorld.applied(1).lose(MINE),
                        mesh -> mesh.build().recover(Story::withMine),
                        mesh -> mesh.build().recover(how -> {
                            withMine(how);
                            how.replaceState();
                        })),
                new Story(
                        "first apply to existing hosts",
                        () -> new InventoryWorld(List.of(), "db-1"),
                        MeshBuilder::apply),
                new Story(
                        "uninstallation",
                        () -> InventoryWorld.applied(List.of(), "db-1").gone(true),
                        mesh -> mesh.build().destroy()));
    }

    private static void withMine(RecoverBuilder how) {
        how.identity(Identity.ofKey(MINE.privateKey())).trustOnFirstUse();
    }

    @Override
    public String toString() {
        return name;
    }
}

package dev.promguard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.promguard.memory.MemoryCloud;
import dev.promguard.memory.MemoryHosts;
import dev.promguard.memory.MemoryStateStore;
import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.HostApplier;
import dev.promguard.spi.HostSession;
import dev.promguard.spi.HostTarget;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a provider and an applier that are found on the class path. */
class MeshServicesTest {
    private static final List<CloudProvider> PROVIDERS = new CopyOnWriteArrayList<>();
    private static final List<HostApplier> APPLIERS = new CopyOnWriteArrayList<>();

    @TempDir
    Path folder;

    private final ClassLoader before = Thread.currentThread().getContextClassLoader();

    /** A cloud that {@link java.util.ServiceLoader} finds. */
    public static final class FoundCloud extends MemoryCloud {
        /** Takes note that it was made. */
        public FoundCloud() {
            PROVIDERS.add(this);
        }
    }

    /** An applier that is found, for the cloud that was found first. */
    public static final class FoundHosts implements HostApplier {
        private final MemoryHosts hosts = new MemoryHosts((MemoryCloud) PROVIDERS.get(0));

        /** Takes note that it was made. */
        public FoundHosts() {
            APPLIERS.add(this);
        }

        @Override
        public HostSession open(HostTarget target) {
            return hosts.open(target);
        }
    }

    @BeforeEach
    void provideServices() throws IOException {
        PROVIDERS.clear();
        APPLIERS.clear();
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.writeString(services.resolve(CloudProvider.class.getName()), FoundCloud.class.getName());
        Files.writeString(services.resolve(HostApplier.class.getName()), FoundHosts.class.getName());
        Thread.currentThread()
                .setContextClassLoader(
                        new URLClassLoader(new URL[] {folder.toUri().toURL()}, before));
    }

    @AfterEach
    void takeServicesAway() throws IOException {
        ((URLClassLoader) Thread.currentThread().getContextClassLoader()).close();
        Thread.currentThread().setContextClassLoader(before);
    }

    private static MeshBuilder mesh() {
        return Mesh.builder()
                .name("shop")
                .monitor("tor1")
                .state(new MemoryStateStore())
                .waits(Account.NO_WAITS);
    }

    @Test
    void verbs_servicesThatAreFound_areMadeOnceForAMeshAndThoseDerivedFromIt() {
        Mesh mesh = mesh().build();
        assertThat(PROVIDERS).as("made before it is needed").isEmpty();

        mesh.plan();
        mesh.apply();
        mesh.plan();
        mesh.toBuilder().nodes(1, "lon1").build().apply();
        mesh.destroy();

        assertThat(PROVIDERS).hasSize(1);
        assertThat(APPLIERS).hasSize(1);
    }

    @Test
    void verbs_builderUsedForSeveral_sharesWhatIsFound() {
        MeshBuilder builder = mesh();

        builder.plan();
        builder.nodes(1, "lon1").plan();

        assertThat(PROVIDERS).hasSize(1);
    }

    @Test
    void verbs_providerThatCannotBeUsed_isLookedForAgain() throws IOException {
        Mesh mesh = mesh().build();
        Path service = folder.resolve("META-INF/services").resolve(CloudProvider.class.getName());
        Files.writeString(service, "dev.promguard.NoSuchCloud");
        assertThatThrownBy(mesh::plan)
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageContaining("the provider on the class path cannot be used");

        Files.writeString(service, FoundCloud.class.getName());

        assertThat(mesh.plan().blueprint().hosts()).hasSize(1);
    }
}

package dev.promguard;

import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.HostApplier;
import java.util.Iterator;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/**
 * The provider and the applier that are found on the class path where none is given. Each is made once, when it is first needed,
 * and shared by all verbs of a mesh and of the meshes derived from it, so that a provider's rate budget and caches last. Neither is
 * ever closed. Thread-safe.
 */
final class Services {
    private @Nullable CloudProvider provider;
    private @Nullable HostApplier applier;

    /**
     * The provider that is found.
     *
     * @throws InvalidSettingException if none is on the class path, or it cannot be used; the next call tries again
     */
    synchronized CloudProvider provider() {
        CloudProvider known = provider;
        if (known == null) {
            known = find(CloudProvider.class, "provider", "promguard-do");
            provider = known;
        }
        return known;
    }

    /**
     * The applier that is found.
     *
     * @throws InvalidSettingException if none is on the class path, or it cannot be used; the next call tries again
     */
    synchronized HostApplier applier() {
        HostApplier known = applier;
        if (known == null) {
            known = find(HostApplier.class, "applier", "promguard-ssh");
            applier = known;
        }
        return known;
    }

    private static <T> T find(Class<T> port, String option, String module) {
        try {
            Iterator<T> services = ServiceLoader.load(port).iterator();
            if (services.hasNext()) {
                return services.next();
            }
        } catch (ServiceConfigurationError e) {
            throw new InvalidSettingException(
                    ErrorCode.SERVICE_MISSING,
                    "the " + option + " on the class path cannot be used: " + e.getMessage() + ". Give one with ."
                            + option + "(…)",
                    e);
        }
        throw new InvalidSettingException(
                ErrorCode.SERVICE_MISSING,
                "no " + option + " was given and none is on the class path: add " + module + ", or call ." + option
                        + "(…)",
                null);
    }
}

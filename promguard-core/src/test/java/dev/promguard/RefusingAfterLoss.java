package dev.promguard;

import dev.promguard.spi.CloudProvider;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** A provider that loses the answer to an order, and is refused the look at what became of it. */
final class RefusingAfterLoss {
    private RefusingAfterLoss() {}

    static CloudProvider over(CloudProvider real) {
        return (CloudProvider) Proxy.newProxyInstance(
                CloudProvider.class.getClassLoader(),
                new Class<?>[] {CloudProvider.class},
                (proxy, method, arguments) -> {
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        if (method.getName().equals("create") && e.getCause() instanceof ProviderException) {
                            throw new ProviderException(
                                    ErrorCode.PROVIDER_RATE_LIMIT,
                                    "too many requests (429): wait a minute",
                                    429,
                                    "too_many_requests",
                                    null,
                                    true,
                                    e.getCause());
                        }
                        throw e.getCause();
                    }
                });
    }
}

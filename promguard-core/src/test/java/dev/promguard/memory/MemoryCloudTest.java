package dev.promguard.memory;

import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.CloudProviderContract;
import dev.promguard.spi.HostOrder;

class MemoryCloudTest extends CloudProviderContract {
    private final MemoryCloud cloud = new MemoryCloud();

    MemoryCloudTest() {
        cloud.close("mars1");
    }

    @Override
    protected CloudProvider provider() {
        return cloud;
    }

    @Override
    protected HostOrder possible(String name) {
        return new HostOrder(name, "tor1", "s-1vcpu-1gb", "debian-12-x64");
    }

    @Override
    protected String impossibleRegion() {
        return "mars1";
    }
}

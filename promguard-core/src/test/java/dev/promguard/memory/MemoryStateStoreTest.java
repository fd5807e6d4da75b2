package dev.promguard.memory;

import dev.promguard.spi.StateStore;
import dev.promguard.spi.StateStoreContract;

class MemoryStateStoreTest extends StateStoreContract {
    private final MemoryStateStore store = new MemoryStateStore();

    @Override
    protected StateStore store() {
        return store;
    }
}

package dev.promguard.memory;

import dev.promguard.spi.CloudProvider;
import dev.promguard.spi.InventoryContract;

class MemoryInventoryTest extends InventoryContract {
    private final MemoryInventory inventory = new MemoryInventory();

    MemoryInventoryTest() {
        inventory.trusted("mon");
        inventory.host("db-1", "admin", 2222);
    }

    @Override
    protected CloudProvider provider() {
        return inventory;
    }
}

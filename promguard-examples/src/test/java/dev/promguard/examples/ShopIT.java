package dev.promguard.examples;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.ClassOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.TestClassOrder;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * One mesh that four kinds of trials share, one after another, for making it costs more time than most of them: each ends with every
 * check passing.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestClassOrder(ClassOrderer.OrderAnnotation.class)
@Order(3)
class ShopIT {
    @TempDir
    static Path state;

    private Shop shop;

    @BeforeAll
    void applyOnce() {
        shop = new Shop(state);
        System.out.println("first apply: " + shop.scrapedOften().apply());
    }

    @AfterAll
    void takeDown() {
        if (shop != null) {
            shop.close();
        }
    }

    @Nested
    @Order(1)
    class Verify extends VerifyTrials {
        @Override
        Shop shop() {
            return shop;
        }
    }

    @Nested
    @Order(2)
    class Drift extends DriftTrials {
        @Override
        Shop shop() {
            return shop;
        }
    }

    @Nested
    @Order(3)
    class Ci extends CiTrial {
        @Override
        Shop shop() {
            return shop;
        }
    }

    @Nested
    @Order(4)
    class Rotation extends RotationTrials {
        @Override
        Shop shop() {
            return shop;
        }
    }
}

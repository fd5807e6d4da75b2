package dev.promguard.blueprint;

import java.util.Optional;

/** A processor architecture that releases exist for. */
public enum Architecture {
    /** 64-bit x86. */
    AMD64("amd64", "x86_64"),
    /** 64-bit Arm. */
    ARM64("arm64", "aarch64");

    private final String releaseName;
    private final String machine;

    Architecture(String releaseName, String machine) {
        this.releaseName = releaseName;
        this.machine = machine;
    }

    /**
     * The word in release file names.
     *
     * @return such as {@code amd64}
     */
    public String releaseName() {
        return releaseName;
    }

    /**
     * What {@code uname -m} prints.
     *
     * @return such as {@code x86_64}
     */
    public String machine() {
        return machine;
    }

    /**
     * Finds the architecture that {@code uname -m} names.
     *
     * @param machine what {@code uname -m} printed
     * @return the architecture, or empty if releases are not made for it
     */
    public static Optional<Architecture> ofMachine(String machine) {
        for (Architecture architecture : values()) {
            if (architecture.machine.equals(machine)) {
                return Optional.of(architecture);
            }
        }
        return Optional.empty();
    }
}

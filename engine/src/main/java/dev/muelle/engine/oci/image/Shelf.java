package dev.muelle.engine.oci.image;

import java.time.Duration;

/**
 * How much is kept of images that nothing runs.
 *
 * @param bytes of unpacked layers, those in use counted; above it the images that were not used for
 *     the longest time go
 * @param atLeast for how long an image stays after a pull or a start in any case, so that what was
 *     pulled is still there when it is started
 */
public record Shelf(long bytes, Duration atLeast) {}

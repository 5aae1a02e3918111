/**
 * Content-addressed blobs, shared by the image registry and the engine, so that a task that runs an
 * image pushed here copies nothing.
 */
@NullMarked
package dev.muelle.engine.blob;

import org.jspecify.annotations.NullMarked;

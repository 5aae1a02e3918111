/**
 * Images: found in the local registry or fetched from another one, their layers unpacked once each
 * into directories that overlayfs stacks. Layers come from strangers: nothing in them may reach
 * outside its directory, and nothing grows without a limit.
 */
@NullMarked
package dev.muelle.engine.oci.image;

import org.jspecify.annotations.NullMarked;

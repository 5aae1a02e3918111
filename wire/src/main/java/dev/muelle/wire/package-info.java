/**
 * AWS protocols over the SDK's own model classes. Any SDK v2 client interface can be mounted and is
 * then served over HTTP; requests are verified (SigV4), decoded, dispatched, encoded, and errors
 * rendered, at one edge.
 */
@NullMarked
package dev.muelle.wire;

import org.jspecify.annotations.NullMarked;

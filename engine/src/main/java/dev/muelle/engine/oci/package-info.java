/**
 * Real containers. A sandbox is a cgroup and a few files; a container is an overlay mount, an OCI
 * bundle and a monitor that keeps its output and exit code while this process is away. Everything
 * that is known lies in one directory, so that an engine over it knows all again.
 */
@NullMarked
package dev.muelle.engine.oci;

import org.jspecify.annotations.NullMarked;

package dev.muelle.engine.oci.image;

import dev.muelle.engine.blob.BlobStore.BlobException;
import dev.muelle.linux.LinuxException;
import java.io.IOException;

/** Tells a full disk from other failures; Java has only its text. */
final class NoSpace {

  private NoSpace() {}

  static boolean is(Throwable failure) {
    return switch (failure) {
      case BlobException blob -> blob.kind() == BlobException.Kind.NO_SPACE;
      case LinuxException linux -> linux.errno() == LinuxException.ENOSPC;
      case IOException io ->
          io.getMessage() != null && io.getMessage().contains("No space left on device");
      default -> false;
    };
  }
}

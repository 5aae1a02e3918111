package dev.muelle.engine.oci.image;

import java.io.IOException;

/** A layer that is broken, or asks for what no layer gets. */
public final class LayerException extends IOException {
  private static final long serialVersionUID = 1L;

  LayerException(String message) {
    super(message);
  }
}

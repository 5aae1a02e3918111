package dev.muelle.wire;

import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkPojo;

/**
 * An error as it goes out.
 *
 * @param code the wire code, for example {@code ClusterNotFoundException}
 * @param details the exception whose further modelled members are shown too, or null
 */
record Failure(String code, int status, String message, @Nullable SdkPojo details) {

  /** Whose fault it is, in the words of the query protocol. */
  String type() {
    return status >= 500 ? "Receiver" : "Sender";
  }
}

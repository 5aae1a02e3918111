package dev.muelle.balancer.targets;

import io.netty.channel.ConnectTimeoutException;
import java.io.IOException;
import java.net.BindException;
import org.jspecify.annotations.Nullable;

/** How connecting to a target went. */
public enum Reach {
  CONNECTED,
  /** It, or somebody on the way, said no. */
  REFUSED,
  TIMED_OUT,
  /** There was no port left to come from. */
  NO_PORT,
  /** It was there, but came to no TLS session. */
  NO_SESSION;

  private static final String TAKEN = "Address already in use";
  private static final String NONE_LEFT = "Cannot assign requested address";

  static Reach of(@Nullable Throwable failure) {
    if (failure == null) {
      return CONNECTED;
    }
    String why = String.valueOf(failure.getMessage());
    boolean noPort =
        failure instanceof BindException
            || failure instanceof IOException && (why.contains(TAKEN) || why.contains(NONE_LEFT));
    return failure instanceof ConnectTimeoutException ? TIMED_OUT : noPort ? NO_PORT : REFUSED;
  }
}

package dev.muelle.network;

import java.util.concurrent.Callable;

/**
 * Where sockets are born. A socket created inside keeps belonging to that network for its whole
 * life, whichever thread uses it later.
 */
public interface SocketSpace {

  /** The host's own network. */
  SocketSpace HOST =
      new SocketSpace() {
        @Override
        public <T> T call(Callable<T> birth) throws Exception {
          return birth.call();
        }
      };

  /** Runs {@code birth} on a thread that is inside this network; keep it short. */
  <T> T call(Callable<T> birth) throws Exception;
}

package dev.muelle.services;

import dev.muelle.wire.http.HttpHandler;
import java.io.IOException;

/** Serves HTTP at an address inside a VPC, for example the task metadata endpoint. */
@FunctionalInterface
public interface VpcHttp {

  /**
   * Starts to listen.
   *
   * @param address local to the VPC's namespace, for example {@code 169.254.170.2}
   * @throws IOException if the address cannot be bound
   */
  Server serve(String vpcId, String address, int port, HttpHandler handler) throws IOException;

  /** A listening server. */
  @FunctionalInterface
  interface Server extends AutoCloseable {
    @Override
    void close();
  }
}

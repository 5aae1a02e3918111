package dev.muelle.network;

import java.util.List;
import java.util.Optional;

/** Answers names inside a VPC. */
@FunctionalInterface
public interface NameSource {

  /**
   * The addresses of a name, of both families; an empty list if the name exists without one; empty
   * if this source does not know the name.
   *
   * @param name lower case, without the final dot
   * @param client the address that the question comes from
   */
  Optional<List<String>> lookup(String vpcId, String name, String client);

  /**
   * What an address is called, without the final dot; empty if this source does not know it.
   *
   * @param address of IPv4
   */
  default Optional<String> reverse(String vpcId, String address) {
    return Optional.empty();
  }
}

package dev.muelle.services.ec2.state;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;

/**
 * Which private addresses of an interface have public ones. The primary one's stands with the
 * interface, a secondary one's with that address.
 */
public final class Associations {

  private Associations() {}

  /** By private address, the primary one first; of an interface as it is stored or shown. */
  public static Map<String, NetworkInterfaceAssociation> of(NetworkInterface eni) {
    Map<String, NetworkInterfaceAssociation> all = new LinkedHashMap<>();
    if (eni.association() != null) {
      all.put(eni.privateIpAddress(), eni.association());
    }
    for (NetworkInterfacePrivateIpAddress one : eni.privateIpAddresses()) {
      if (one.association() != null) {
        all.put(one.privateIpAddress(), one.association());
      }
    }
    return all;
  }

  public static Stream<NetworkInterfaceAssociation> each(NetworkInterface eni) {
    return of(eni).values().stream();
  }

  /** A stored interface one of whose addresses has this public one from now on, or none. */
  public static NetworkInterface with(
      NetworkInterface eni, String address, @Nullable NetworkInterfaceAssociation association) {
    if (address.equals(eni.privateIpAddress())) {
      return eni.toBuilder().association(association).build();
    }
    List<NetworkInterfacePrivateIpAddress> changed =
        eni.privateIpAddresses().stream()
            .map(one ->
                one.privateIpAddress().equals(address)
                    ? one.toBuilder().association(association).build()
                    : one)
            .toList();
    return eni.toBuilder().privateIpAddresses(changed).build();
  }
}

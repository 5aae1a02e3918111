package dev.muelle.services.ecs.state;

import dev.muelle.network.Network.Behind;
import dev.muelle.services.ecs.placement.Demand;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.NetworkBinding;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.PortMapping;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TransportProtocol;

/**
 * What a task without an interface of its own has of its instance's network, chosen when it is
 * placed, so that no other task can have it.
 *
 * @param ec2InstanceId the instance's; empty if it is none of EC2
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html">PortMapping</a>
 */
public record HostNetwork(String ec2InstanceId, List<Place> places) {

  /** Within both ranges that the documentation names for dynamic host ports. */
  static final int FIRST_DYNAMIC = 49_153;

  static final int LAST_DYNAMIC = 60_999;

  /** Docker's network, its bridge, and the broadcast address. */
  private static final int FIRST_HOST = 2;

  /**
   * One container's part.
   *
   * @param address on the instance's bridge; empty in network mode {@code host}
   */
  public record Place(String container, String address, List<NetworkBinding> bindings) {}

  public Optional<Place> of(String container) {
    return places.stream().filter(place -> place.container().equals(container)).findFirst();
  }

  /** The host port that a load balancer sends to, for one of its service's containers. */
  public Optional<Integer> port(LoadBalancer balancer) {
    return of(balancer.containerName()).stream()
        .flatMap(place -> place.bindings().stream())
        .filter(binding -> binding.containerPort().equals(balancer.containerPort()))
        .map(NetworkBinding::hostPort)
        .findFirst();
  }

  /**
   * Chooses.
   *
   * @param tcp host ports that are taken on the instance
   * @param udp likewise
   * @param neighbours what its other tasks have
   * @return null for a task that has nothing of its instance's network
   */
  public static @Nullable HostNetwork choose(
      TaskDefinition definition,
      @Nullable String ec2InstanceId,
      Set<Integer> tcp,
      Set<Integer> udp,
      List<HostNetwork> neighbours,
      RandomGenerator random) {
    boolean bridge = definition.networkMode() == NetworkMode.BRIDGE;
    if (!bridge && definition.networkMode() != NetworkMode.HOST) {
      return null;
    }
    Set<Integer> takenTcp = new HashSet<>(tcp);
    Set<Integer> takenUdp = new HashSet<>(udp);
    Set<String> addresses = new HashSet<>();
    neighbours.forEach(one -> one.places().forEach(place -> addresses.add(place.address())));
    List<Place> places = new ArrayList<>();
    for (ContainerDefinition container : definition.containerDefinitions()) {
      if (Boolean.TRUE.equals(container.disableNetworking())) {
        continue;
      }
      List<NetworkBinding> bindings = new ArrayList<>();
      for (PortMapping port : container.portMappings()) {
        boolean udpPort = port.protocol() == TransportProtocol.UDP;
        int host =
            port.hostPort() == null || port.hostPort() == 0
                ? dynamic(udpPort ? takenUdp : takenTcp, random)
                : port.hostPort();
        (udpPort ? takenUdp : takenTcp).add(host);
        bindings.add(
            NetworkBinding.builder()
                .bindIP("0.0.0.0")
                .containerPort(port.containerPort())
                .hostPort(host)
                .protocol(port.protocol())
                .build());
      }
      String address = bridge ? address(addresses) : "";
      addresses.add(address);
      places.add(new Place(container.name(), address, bindings));
    }
    return new HostNetwork(ec2InstanceId == null ? "" : ec2InstanceId, places);
  }

  private static int dynamic(Set<Integer> taken, RandomGenerator random) {
    int count = LAST_DYNAMIC - FIRST_DYNAMIC + 1;
    int start = random.nextInt(count);
    for (int i = 0; i < count; i++) {
      int port = FIRST_DYNAMIC + (start + i) % count;
      if (!taken.contains(port)) {
        return port;
      }
    }
    throw Refuse.invalid("The container instance has no free dynamic host port left.");
  }

  private static String address(Set<String> taken) {
    for (long host = FIRST_HOST; host < Behind.BEHIND.size() - 1; host++) {
      String address = Behind.BEHIND.at(host);
      if (!taken.contains(address)) {
        return address;
      }
    }
    throw Refuse.invalid("The container instance's bridge has no free address left.");
  }

  /** The demand with every host port in it, so that it is booked. */
  public Demand with(Demand demand) {
    Set<Integer> tcp = new HashSet<>(demand.tcp());
    Set<Integer> udp = new HashSet<>(demand.udp());
    for (Place place : places) {
      for (NetworkBinding binding : place.bindings()) {
        (binding.protocol() == TransportProtocol.UDP ? udp : tcp).add(binding.hostPort());
      }
    }
    return new Demand(demand.cpu(), demand.memory(), tcp, udp, demand.interfaces(), demand.gpus());
  }
}

package dev.muelle.services.ecs.definition;

import dev.muelle.engine.ContainerSpec.Names;
import dev.muelle.services.ecs.state.HostNetwork;
import dev.muelle.services.ecs.state.Refuse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.HostEntry;
import software.amazon.awssdk.services.ecs.model.NetworkBinding;
import software.amazon.awssdk.services.ecs.model.NetworkMode;

/**
 * What a container on an instance calls itself and others, as Docker writes it into its files and
 * its environment: {@code hostname}, {@code extraHosts}, {@code dnsServers}, {@code
 * dnsSearchDomains}, {@code links}.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters_ec2.html#container_definition_network">Network
 *     settings</a>
 * @see <a href="https://docs.docker.com/engine/network/links/">Legacy container links</a>
 */
public final class ContainerNames {

  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9_.-]{0,252})");
  private static final Pattern ADDRESS =
      Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*");

  private ContainerNames() {}

  /** A container that another one can speak to by a name. */
  private record Link(String container, String alias) {

    static Link of(String text) {
      int colon = text.indexOf(':');
      return colon < 0
          ? new Link(text, text)
          : new Link(text.substring(0, colon), text.substring(colon + 1));
    }
  }

  /** The names of the containers that one is linked to. */
  static List<String> linked(ContainerDefinition definition) {
    return definition.links().stream().map(text -> Link.of(text).container()).toList();
  }

  /** Refuses what a network mode has no place for, and what is no name or address. */
  static void check(ContainerDefinition definition, NetworkMode mode, Set<String> containers) {
    boolean offline = Boolean.TRUE.equals(definition.disableNetworking());
    if (mode == NetworkMode.AWSVPC) {
      Map<String, Boolean> without = new LinkedHashMap<>();
      without.put("hostname", definition.hostname() != null);
      without.put("extraHosts", !definition.extraHosts().isEmpty());
      without.put("dnsServers", !definition.dnsServers().isEmpty());
      without.put("dnsSearchDomains", !definition.dnsSearchDomains().isEmpty());
      without.put("disableNetworking", offline);
      without.forEach((name, used) -> {
        if (used) {
          throw Refuse.client(name + " is not supported on container when networkMode=awsvpc.");
        }
      });
    }
    if (!definition.links().isEmpty() && mode != NetworkMode.BRIDGE) {
      throw Refuse.client("Links are not supported when networkMode=" + mode + ".");
    }
    if (offline && !definition.portMappings().isEmpty()) {
      throw Refuse.client("Port mappings are not supported on container with disableNetworking.");
    }
    if (offline && !definition.links().isEmpty()) {
      throw Refuse.client("Links are not supported on container with disableNetworking.");
    }
    name("hostname", definition.hostname());
    definition.dnsSearchDomains().forEach(domain -> name("dnsSearchDomains", domain));
    definition.dnsServers().forEach(server -> address("dnsServers", server));
    for (HostEntry host : definition.extraHosts()) {
      name("extraHosts hostname", host.hostname() == null ? "" : host.hostname());
      address("extraHosts ipAddress", host.ipAddress());
    }
    for (String text : definition.links()) {
      Link link = Link.of(text);
      if (!containers.contains(link.container()) || link.container().equals(definition.name())) {
        throw Refuse.client(
            "Container " + definition.name() + " is linked to " + text + ", which is not defined.");
      }
      name("links", link.alias());
    }
  }

  private static void name(String what, @Nullable String name) {
    if (name != null && !HOST.matcher(name).matches()) {
      throw Refuse.client("Invalid " + what + ": " + name);
    }
  }

  private static void address(String what, @Nullable String address) {
    if (address == null || !ADDRESS.matcher(address).matches()) {
      throw Refuse.client("Invalid " + what + ": " + address + " is not an IP address.");
    }
  }

  /**
   * What the engine is told; null for what all containers of the task have.
   *
   * @param usual what that is
   * @param host where the task's containers are on their instance's bridge; null if not there
   */
  public static @Nullable Names of(
      ContainerDefinition definition, Names usual, @Nullable HostNetwork host) {
    String address =
        host == null ? "" : host.of(definition.name()).map(HostNetwork.Place::address).orElse("");
    List<Names.Host> hosts = new ArrayList<>();
    for (HostEntry entry : definition.extraHosts()) {
      hosts.add(new Names.Host(entry.ipAddress(), entry.hostname()));
    }
    for (String text : definition.links()) {
      Link link = Link.of(text);
      placed(host, link)
          .ifPresent(place ->
              hosts.add(
                  new Names.Host(
                      place.address(),
                      link.alias().equals(link.container())
                          ? link.alias()
                          : link.alias() + " " + link.container())));
    }
    boolean offline = Boolean.TRUE.equals(definition.disableNetworking());
    Names own =
        new Names(
            definition.hostname() == null ? usual.hostname() : definition.hostname(),
            offline ? null : address.isEmpty() ? usual.address() : address,
            hosts,
            definition.dnsServers().isEmpty() ? usual.nameservers() : definition.dnsServers(),
            definition.dnsSearchDomains().isEmpty()
                ? usual.searchDomains()
                : definition.dnsSearchDomains());
    return own.equals(usual) ? null : own;
  }

  private static Optional<HostNetwork.Place> placed(@Nullable HostNetwork host, Link link) {
    return host == null ? Optional.empty() : host.of(link.container());
  }

  /**
   * The variables by which Docker tells a container of those that it is linked to: where their
   * ports are, and their environment.
   */
  public static Map<String, String> variables(
      ContainerDefinition definition,
      List<ContainerDefinition> containers,
      @Nullable HostNetwork host) {
    Map<String, ContainerDefinition> byName =
        containers.stream().collect(Collectors.toMap(ContainerDefinition::name, one -> one));
    Map<String, String> variables = new LinkedHashMap<>();
    for (String text : definition.links()) {
      Link link = Link.of(text);
      String alias = link.alias().toUpperCase(Locale.ROOT).replace('-', '_');
      variables.put(alias + "_NAME", "/" + definition.name() + "/" + link.alias());
      placed(host, link)
          .ifPresent(place -> {
            for (NetworkBinding port : place.bindings()) {
              port(variables, alias, place.address(), port);
            }
          });
      Objects.requireNonNull(byName.get(link.container())) // checked when registered
          .environment()
          .forEach(pair -> variables.put(alias + "_ENV_" + pair.name(), pair.value()));
    }
    return variables;
  }

  private static void port(
      Map<String, String> variables, String alias, String address, NetworkBinding port) {
    String protocol = port.protocolAsString();
    String url = protocol + "://" + address + ":" + port.containerPort();
    String prefix =
        alias + "_PORT_" + port.containerPort() + "_" + protocol.toUpperCase(Locale.ROOT);
    variables.putIfAbsent(alias + "_PORT", url);
    variables.put(prefix, url);
    variables.put(prefix + "_ADDR", address);
    variables.put(prefix + "_PORT", port.containerPort().toString());
    variables.put(prefix + "_PROTO", protocol);
  }
}

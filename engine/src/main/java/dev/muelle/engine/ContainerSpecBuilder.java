package dev.muelle.engine;

import dev.muelle.engine.ContainerSpec.Console;
import dev.muelle.engine.ContainerSpec.Isolation;
import dev.muelle.engine.ContainerSpec.JsonFile;
import dev.muelle.engine.ContainerSpec.Names;
import dev.muelle.engine.ContainerSpec.Ulimit;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a {@link ContainerSpec} says beyond its ids; see there. */
public final class ContainerSpecBuilder {

  private final String id;
  private final String sandboxId;
  private final String imageId;
  private String name;
  private @Nullable List<String> entryPoint;
  private @Nullable List<String> command;
  private Map<String, String> environment = Map.of();
  private @Nullable String workingDirectory;
  private @Nullable String user;
  private int cpuShares;
  private long memoryLimit;
  private long memoryReservation;
  private boolean readonlyRoot;
  private boolean init;
  private List<Ulimit> ulimits = List.of();
  private boolean keepsOutput = true;
  private Isolation isolation = Isolation.DEFAULT;
  private Console console = Console.NONE;
  private @Nullable Names names;
  private @Nullable JsonFile jsonFile;

  ContainerSpecBuilder(String id, String sandboxId, String imageId) {
    this.id = id;
    this.sandboxId = sandboxId;
    this.imageId = imageId;
    name = id;
  }

  public ContainerSpecBuilder name(String name) {
    this.name = name;
    return this;
  }

  public ContainerSpecBuilder entryPoint(@Nullable List<String> entryPoint) {
    this.entryPoint = entryPoint;
    return this;
  }

  public ContainerSpecBuilder command(@Nullable List<String> command) {
    this.command = command;
    return this;
  }

  public ContainerSpecBuilder environment(Map<String, String> environment) {
    this.environment = environment;
    return this;
  }

  public ContainerSpecBuilder workingDirectory(@Nullable String workingDirectory) {
    this.workingDirectory = workingDirectory;
    return this;
  }

  public ContainerSpecBuilder user(@Nullable String user) {
    this.user = user;
    return this;
  }

  public ContainerSpecBuilder cpuShares(int cpuShares) {
    this.cpuShares = cpuShares;
    return this;
  }

  public ContainerSpecBuilder memoryLimit(long memoryLimit) {
    this.memoryLimit = memoryLimit;
    return this;
  }

  public ContainerSpecBuilder memoryReservation(long memoryReservation) {
    this.memoryReservation = memoryReservation;
    return this;
  }

  public ContainerSpecBuilder readonlyRoot(boolean readonlyRoot) {
    this.readonlyRoot = readonlyRoot;
    return this;
  }

  public ContainerSpecBuilder init(boolean init) {
    this.init = init;
    return this;
  }

  public ContainerSpecBuilder ulimits(List<Ulimit> ulimits) {
    this.ulimits = ulimits;
    return this;
  }

  public ContainerSpecBuilder keepsOutput(boolean keepsOutput) {
    this.keepsOutput = keepsOutput;
    return this;
  }

  public ContainerSpecBuilder isolation(Isolation isolation) {
    this.isolation = isolation;
    return this;
  }

  public ContainerSpecBuilder console(Console console) {
    this.console = console;
    return this;
  }

  public ContainerSpecBuilder names(@Nullable Names names) {
    this.names = names;
    return this;
  }

  public ContainerSpecBuilder jsonFile(@Nullable JsonFile jsonFile) {
    this.jsonFile = jsonFile;
    return this;
  }

  public ContainerSpec build() {
    return new ContainerSpec(
        id,
        sandboxId,
        name,
        imageId,
        entryPoint,
        command,
        environment,
        workingDirectory,
        user,
        cpuShares,
        memoryLimit,
        memoryReservation,
        readonlyRoot,
        init,
        ulimits,
        keepsOutput,
        isolation,
        console,
        names,
        jsonFile);
  }
}

package dev.muelle.region.story;

import dev.muelle.region.demo.Clients;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.cloudwatch.model.Datapoint;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.ContainerInstanceStatus;
import software.amazon.awssdk.services.ecs.model.DesiredStatus;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;

/**
 * What the lab has made is put to the test: visitors until tasks and instances follow, a task that
 * falls ill, an instance whose network goes, and then nearly no visitors, until all is as small as
 * it was. Conditions are waited for, not times: how long it takes is the region's clock's affair.
 */
public final class ScalingStory {

  private static final String NAME = "escalado";
  private static final String PREFIX = NAME + "-";
  private static final String CPU = PREFIX + "cpu-memoria";
  private static final String INSTANCES = PREFIX + "instancias";
  private static final String TARGETS = PREFIX + "destinos";
  private static final String RINGS = "ALARM";
  private static final String CLEAR = "OK";
  private static final Duration LIMIT = Duration.ofMinutes(8);
  private static final Duration LOOK_BACK = Duration.ofMinutes(4);
  private static final Duration SHOWN_EVERY = Duration.ofSeconds(4);
  private static final long LOOK_MILLIS = 700;
  private static final int PATIENT = 7_200; // s
  private static final int GRACE = 30; // s, as the lab has it
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

  private final Clients aws;
  private final Clock clock;
  private final String kernelName;
  private final PrintStream out;
  private @Nullable Scene shown;
  private Instant shownAt = Instant.EPOCH;

  /** The two times: the region's, in which things happen, and the machine's, in which we wait. */
  public record Clock(InstantSource region, InstantSource machine) {}

  /**
   * A story that has not begun.
   *
   * @param kernelName what the region's network namespaces begin with
   */
  public ScalingStory(Clients aws, Clock clock, String kernelName, PrintStream out) {
    this.aws = aws;
    this.clock = clock;
    this.kernelName = kernelName;
    this.out = out;
  }

  /**
   * Plays it.
   *
   * @param crowd how many visitors there are at most: they come one by one, until enough follows
   * @return whether it ended well; the output says why not
   * @throws IllegalStateException if something that should follow did not
   */
  public boolean play(int crowd) throws Exception {
    LoadBalancer balancer =
        aws.elb.describeLoadBalancers(r -> r.names(NAME)).loadBalancers().getFirst();
    int port =
        aws.elb
            .describeListeners(r -> r.loadBalancerArn(balancer.loadBalancerArn()))
            .listeners()
            .getFirst()
            .port();
    String topic = aws.sns.createTopic(r -> r.name(NAME)).topicArn(); // gives the one that is there
    try (Load load = new Load(balancer.dnsName(), port);
        Receiver receiver = new Receiver()) {
      aws.sns.subscribe(r -> r.topicArn(topic).protocol("http").endpoint(receiver.url()));
      int most = play(load, receiver, crowd);
      load.end(); // the last answers count, too
      return verdict(load, receiver, most);
    }
  }

  private int play(Load load, Receiver receiver, int crowd) throws Exception {
    out.println("hora      visitas   cpu  tareas  instancias  contestadas  fallidas  alarmas");
    load.visitors(1);
    until(load, "un servicio pequeño y tranquilo", Scene::small);
    say("Llegan visitantes, más y más");
    until(
        load,
        "más tareas y más instancias",
        scene -> {
          load.visitors(Math.min(crowd, load.visitors() + 1));
          return scene.running() > 2 && scene.instances() > 1 && receiver.heard(CPU, RINGS);
        });
    int most = scene(load).running();

    say("Una tarea enferma: su /salud dice 503. Que ECS espere, para verla");
    grace(PATIENT);
    String answer = load.answer("POST", "/enfermar");
    if (!answer.isEmpty()) {
      throw new IllegalStateException("POST /enfermar: " + answer);
    }
    until(load, "la alarma de los destinos", scene -> receiver.heard(TARGETS, RINGS));
    say("ECS la sustituye");
    grace(GRACE);
    until(load, "el fin de la alarma", scene -> receiver.heard(TARGETS, CLEAR));

    say("Una instancia se vacía, y luego pierde la red");
    ContainerInstance broken = drained(load);
    unplug(broken.ec2InstanceId());
    until(load, "la alarma de las instancias", scene -> receiver.heard(INSTANCES, RINGS));
    say("Auto Scaling la sustituye");
    aws.scaling.setInstanceHealth(r ->
        r.instanceId(broken.ec2InstanceId())
            .healthStatus("Unhealthy")
            .shouldRespectGracePeriod(false));
    until(load, "el fin de la alarma", scene -> receiver.heard(INSTANCES, CLEAR));

    say("Los visitantes se van");
    load.visitors(1);
    until(
        load,
        "dos tareas en una instancia, como al principio",
        scene -> scene.small() && receiver.heard(CPU, CLEAR));
    return most;
  }

  /** The verdict, in a person's words. */
  private boolean verdict(Load load, Receiver receiver, int most) {
    boolean good = load.failed() == 0 && load.answered() > 0;
    out.println();
    out.println("Avisos recibidos: " + String.join(", ", new TreeSet<>(receiver.heard())));
    out.printf(
        "Peticiones: %d contestadas, %d fallidas%s%n",
        load.answered(),
        load.failed(),
        load.problem().map(problem -> " (la primera: " + problem + ")").orElse(""));
    out.println(
        good
            ? "VEREDICTO: bien. Tareas: de 2 a " + most + " o más y otra vez 2."
            : "VEREDICTO: mal, hay peticiones sin respuesta.");
    return good;
  }

  /** For how long after a task's start ECS does not mind that its target is unhealthy. */
  private void grace(int seconds) {
    aws.ecs.updateService(
        r -> r.cluster(NAME).service(NAME).healthCheckGracePeriodSeconds(seconds));
  }

  /** Takes the instance that has been there for the shortest time out of use, with its tasks. */
  private ContainerInstance drained(Load load) throws Exception {
    List<String> arns =
        aws.ecs
            .listContainerInstances(r -> r.cluster(NAME).status(ContainerInstanceStatus.ACTIVE))
            .containerInstanceArns();
    ContainerInstance chosen =
        aws
            .ecs
            .describeContainerInstances(r -> r.cluster(NAME).containerInstances(arns))
            .containerInstances()
            .stream()
            .max((a, b) -> a.registeredAt().compareTo(b.registeredAt()))
            .orElseThrow();
    aws.ecs.updateContainerInstancesState(r ->
        r.cluster(NAME)
            .containerInstances(chosen.containerInstanceArn())
            .status(ContainerInstanceStatus.DRAINING));
    until(load, "una instancia sin tareas", scene -> empty(chosen.containerInstanceArn()));
    return chosen;
  }

  /** Whether all of its tasks have stopped: one that is on its way still answers its last. */
  private boolean empty(String instance) {
    for (DesiredStatus desired : List.of(DesiredStatus.RUNNING, DesiredStatus.STOPPED)) {
      List<String> tasks =
          aws.ecs
              .listTasks(r -> r.cluster(NAME).containerInstance(instance).desiredStatus(desired))
              .taskArns();
      boolean all =
          tasks.isEmpty()
              || aws.ecs.describeTasks(r -> r.cluster(NAME).tasks(tasks)).tasks().stream()
                  .allMatch(task -> task.lastStatus().equals("STOPPED"));
      if (!all) {
        return false;
      }
    }
    return true;
  }

  /** What nobody can ask of an API: the cable is pulled out. */
  private void unplug(String instanceId) throws IOException, InterruptedException {
    String eni =
        aws.ec2
            .describeInstances(r -> r.instanceIds(instanceId))
            .reservations()
            .getFirst()
            .instances()
            .getFirst()
            .networkInterfaces()
            .getFirst()
            .networkInterfaceId();
    Process ip =
        new ProcessBuilder("ip", "-n", kernelName + "-" + eni, "link", "set", "eth0", "down")
            .inheritIO()
            .start();
    if (ip.waitFor() != 0) {
      throw new IllegalStateException("the network of " + instanceId + " could not be taken down");
    }
  }

  private void until(Load load, String what, Predicate<Scene> condition) throws Exception {
    Instant end = clock.machine().instant().plus(LIMIT);
    while (true) {
      Scene scene = scene(load);
      if (condition.test(scene)) {
        return;
      }
      if (clock.machine().instant().isAfter(end)) {
        throw new IllegalStateException(
            "en " + LIMIT.toMinutes() + " minutos no ha llegado: " + what);
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }

  private Scene scene(Load load) {
    Instant now = clock.region().instant();
    Service service =
        aws.ecs.describeServices(r -> r.cluster(NAME).services(NAME)).services().getFirst();
    long instances =
        aws
            .scaling
            .describeAutoScalingGroups(r -> r.autoScalingGroupNames(NAME))
            .autoScalingGroups()
            .getFirst()
            .instances()
            .stream()
            .filter(one -> one.lifecycleState() == LifecycleState.IN_SERVICE)
            .count();
    TreeSet<String> ringing = new TreeSet<>();
    aws.cloudWatch
        .describeAlarms(r -> r.alarmNamePrefix(PREFIX).stateValue(StateValue.ALARM))
        .metricAlarms()
        .forEach(alarm -> ringing.add(alarm.alarmName().substring(PREFIX.length())));
    Scene scene =
        new Scene(
            now,
            cpu(now).orElse(Double.NaN),
            service.desiredCount(),
            service.runningCount(),
            (int) instances,
            ringing);
    show(scene, load);
    return scene;
  }

  private Optional<Double> cpu(Instant now) {
    return aws
        .cloudWatch
        .getMetricStatistics(r ->
            r.namespace("AWS/ECS")
                .metricName("CPUUtilization")
                .dimensions(
                    Dimension.builder().name("ClusterName").value(NAME).build(),
                    Dimension.builder().name("ServiceName").value(NAME).build())
                .startTime(now.minus(LOOK_BACK))
                .endTime(now)
                .period(60)
                .statistics(Statistic.AVERAGE))
        .datapoints()
        .stream()
        .max((a, b) -> a.timestamp().compareTo(b.timestamp()))
        .map(Datapoint::average);
  }

  /** A row, when something has changed or some seconds have passed. */
  private void show(Scene scene, Load load) {
    Scene before = shown;
    Instant now = clock.machine().instant();
    boolean same =
        before != null
            && before.running() == scene.running()
            && before.desired() == scene.desired()
            && before.instances() == scene.instances()
            && before.ringing().equals(scene.ringing());
    if (same && now.isBefore(shownAt.plus(SHOWN_EVERY))) {
      return;
    }
    shown = scene;
    shownAt = now;
    out.printf(
        Locale.ROOT,
        "%s  %7d  %4s  %6s  %10d  %11d  %8d  %s%n",
        TIME.format(scene.at()),
        load.visitors(),
        Double.isNaN(scene.cpu()) ? "–" : Math.round(scene.cpu()) + "%",
        scene.running() + "/" + scene.desired(),
        scene.instances(),
        load.answered(),
        load.failed(),
        String.join(" ", scene.ringing()));
  }

  private void say(String what) {
    out.println("— " + what);
  }
}

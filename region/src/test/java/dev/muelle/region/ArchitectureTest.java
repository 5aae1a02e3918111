package dev.muelle.region;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures;

/** Who may use whom. */
@AnalyzeClasses(packages = "dev.muelle", importOptions = DoNotIncludeTests.class)
final class ArchitectureTest {

  @ArchTest
  static final ArchRule ROOMS =
      Architectures.layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("loop")
          .definedBy("dev.muelle.loop..")
          .layer("scaling")
          .definedBy("dev.muelle.scaling..")
          .layer("chart")
          .definedBy("dev.muelle.chart..")
          .layer("linux")
          .definedBy("dev.muelle.linux..")
          .layer("store")
          .definedBy("dev.muelle.store..")
          .layer("wire")
          .definedBy("dev.muelle.wire..")
          .layer("network")
          .definedBy("dev.muelle.network..")
          .layer("engine")
          .definedBy("dev.muelle.engine..")
          .layer("balancer")
          .definedBy("dev.muelle.balancer..")
          .layer("services")
          .definedBy("dev.muelle.services..")
          .layer("region")
          .definedBy("dev.muelle.region..")
          .whereLayer("loop")
          .mayNotAccessAnyLayer()
          .whereLayer("scaling")
          .mayNotAccessAnyLayer()
          .whereLayer("chart")
          .mayNotAccessAnyLayer()
          .whereLayer("linux")
          .mayNotAccessAnyLayer()
          .whereLayer("store")
          .mayNotAccessAnyLayer()
          .whereLayer("wire")
          .mayNotAccessAnyLayer()
          .whereLayer("network")
          .mayOnlyAccessLayers("linux", "loop")
          .whereLayer("engine")
          .mayOnlyAccessLayers("linux", "loop", "store", "network")
          .whereLayer("balancer")
          .mayOnlyAccessLayers("loop")
          .whereLayer("region")
          .mayNotBeAccessedByAnyLayer();

  @ArchTest
  static final ArchRule SERVICES_MEET_THROUGH_SDK_INTERFACES =
      slices().matching("dev.muelle.services.(*)..").should().notDependOnEachOther();

  @ArchTest
  static final ArchRule NO_CYCLES = slices().matching("dev.muelle.(**)").should().beFreeOfCycles();

  /** What others know of the balancer: its door, the words that it speaks, and who makes one. */
  @ArchTest
  static final ArchRule THE_BALANCERS_ROOMS_ARE_ITS_OWN =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.muelle.balancer..")
          .should()
          .dependOnClassesThat(
              JavaClass.Predicates.resideInAPackage("dev.muelle.balancer..")
                  .and(
                      JavaClass.Predicates.resideOutsideOfPackages(
                          "dev.muelle.balancer",
                          "dev.muelle.balancer.http",
                          "dev.muelle.balancer.rules",
                          "dev.muelle.balancer.tls",
                          "dev.muelle.balancer.metrics",
                          "dev.muelle.balancer.logs",
                          "dev.muelle.balancer.netty")));

  @ArchTest
  static final ArchRule BALANCER_CHART_AND_SCALING_KNOW_NO_AWS_TYPE =
      noClasses()
          .that()
          .resideInAnyPackage("dev.muelle.balancer..", "dev.muelle.chart..", "dev.muelle.scaling..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("software.amazon..");
}

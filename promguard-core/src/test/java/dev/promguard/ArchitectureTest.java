package dev.promguard;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClass.Predicates;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.HashSet;
import java.util.Set;

/** Which package may depend on which, what is pure, and what users see. */
@AnalyzeClasses(packages = "dev.promguard", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String[] PURE = {"dev.promguard.blueprint..", "dev.promguard.host..", "dev.promguard.keys.."};

    /** The templates are read from the class path, once; nothing else is read or written. */
    private static final DescribedPredicate<JavaClass> EFFECTS = resideInAnyPackage(
                    "java.nio.channels..",
                    "java.nio.file..",
                    "java.net.http..",
                    "javax.net..",
                    "java.util.concurrent.locks..",
                    "org.slf4j..")
            .or(Predicates.assignableTo(java.io.File.class))
            .or(Predicates.assignableTo(java.net.Socket.class))
            .or(Predicates.assignableTo(java.net.URLConnection.class))
            .or(Predicates.assignableTo(Thread.class))
            .or(Predicates.assignableTo(Process.class))
            .or(Predicates.assignableTo(ProcessBuilder.class))
            .or(Predicates.assignableTo(java.util.Random.class))
            .or(Predicates.assignableTo(java.time.Clock.class))
            .or(Predicates.assignableTo(java.util.UUID.class))
            .or(Predicates.assignableTo(java.util.Date.class));

    @ArchTest
    static final ArchRule core_anyClass_knowsNeitherHttpNorSshLibraries = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "okhttp3..", "okio..", "net.schmizz..", "com.hierynomus..", "org.apache.sshd..", "kotlin..");

    @ArchTest
    static final ArchRule core_anyClass_knowsNoOtherModule = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.promguard.digitalocean..", "dev.promguard.ssh..", "dev.promguard.examples..");

    private static final DescribedPredicate<JavaClass> ROOT_WITHOUT_EXCEPTIONS = resideInAPackage("dev.promguard")
            .and(not(Predicates.assignableTo(PromGuardException.class)))
            .and(not(Predicates.assignableTo(ErrorCode.class)));

    @ArchTest
    static final ArchRule package_pureOnes_dependOnNeitherPortsNorVerbs = noClasses()
            .that()
            .resideInAnyPackage(PURE)
            .should()
            .dependOnClassesThat(resideInAPackage("dev.promguard.spi..").or(ROOT_WITHOUT_EXCEPTIONS));

    @ArchTest
    static final ArchRule package_anyTwo_haveNoCycle = slices().matching("dev.promguard.(blueprint|host|keys|spi)..")
            .should()
            .beFreeOfCycles();

    @ArchTest
    static final ArchRule package_blueprint_dependsOnNoOther = noClasses()
            .that()
            .resideInAPackage("dev.promguard.blueprint..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.promguard.render..", "dev.promguard.change..", "dev.promguard.keys..");

    /** Each step of the pipeline knows those before it, and none after it. */
    @ArchTest
    static final ArchRule pipeline_eachStep_knowsTheEarlierOnesAlone = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("run")
            .definedBy("dev.promguard.internal.run..")
            .layer("observe")
            .definedBy("dev.promguard.internal.observe..")
            .layer("decide")
            .definedBy("dev.promguard.internal.decide..")
            .layer("act")
            .definedBy("dev.promguard.internal.act..")
            .layer("verify")
            .definedBy("dev.promguard.internal.verify..")
            .layer("engine")
            .definedBy("dev.promguard.internal.engine..")
            .whereLayer("engine")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("act")
            .mayOnlyBeAccessedByLayers("engine")
            .whereLayer("verify")
            .mayOnlyBeAccessedByLayers("engine")
            .whereLayer("decide")
            .mayOnlyBeAccessedByLayers("act", "verify", "engine")
            .whereLayer("observe")
            .mayOnlyBeAccessedByLayers("decide", "act", "verify", "engine");

    /** What is decided is decided from what was observed and the state, and is the same for everybody who asks. */
    @ArchTest
    static final ArchRule pipeline_decisions_callNoPort = noClasses()
            .that()
            .resideInAPackage("dev.promguard.internal.decide..")
            .should()
            .dependOnClassesThat(EFFECTS)
            .orShould()
            .dependOnClassesThat()
            .haveNameMatching("dev\\.promguard\\.spi\\.(CloudProvider|HostApplier|HostSession|StateStore)");

    /** Who judges asks nobody: what has to be asked for was asked for by the prober. */
    @ArchTest
    static final ArchRule pipeline_checks_callNoPort = noClasses()
            .that()
            .resideInAPackage("dev.promguard.internal.verify..")
            .and()
            .haveNameNotMatching(
                    "dev\\.promguard\\.internal\\.verify\\.(Prober|PrometheusReader|PrometheusApi)([$].*)?")
            .should()
            .dependOnClassesThat(EFFECTS)
            .orShould()
            .dependOnClassesThat()
            .haveNameMatching("dev\\.promguard\\.spi\\.(CloudProvider|HostApplier|HostSession|StateStore)");

    @ArchTest
    static final ArchRule package_spi_dependsOnTheRootForItsExceptionsAndTheirCodesAlone = noClasses()
            .that()
            .resideInAPackage("dev.promguard.spi..")
            .should()
            .dependOnClassesThat(ROOT_WITHOUT_EXCEPTIONS);

    @ArchTest
    static final ArchRule pure_anyClass_usesNoFileNoNetworkNoThreadAndNoRandomness = noClasses()
            .that()
            .resideInAnyPackage("dev.promguard.blueprint..", "dev.promguard.render..", "dev.promguard.change..")
            .should()
            .dependOnClassesThat(EFFECTS);

    @ArchTest
    static final ArchRule pure_anyClass_readsNoClockAndNoEnvironment = noClasses()
            .that()
            .resideInAnyPackage("dev.promguard.blueprint..", "dev.promguard.render..", "dev.promguard.change..")
            .should()
            .callMethodWhere(describe("a clock, the environment or a default of the platform", call -> {
                String owner = call.getTargetOwner().getName();
                String name = call.getTarget().getName();
                return (owner.equals("java.lang.System")
                                && Set.of("currentTimeMillis", "nanoTime", "getenv", "getProperty")
                                        .contains(name))
                        || (owner.startsWith("java.time.") && name.equals("now"))
                        || (owner.equals("java.util.Locale") && name.equals("getDefault"))
                        || (owner.equals("java.lang.Math") && name.equals("random"))
                        || (owner.equals("java.lang.String")
                                && name.equals("format")
                                && !call.getTarget()
                                        .getRawParameterTypes()
                                        .get(0)
                                        .isEquivalentTo(java.util.Locale.class));
            }));

    @ArchTest
    static final ArchRule pure_anyClass_readsNoStreamButTheTemplates = noClasses()
            .that()
            .resideInAnyPackage("dev.promguard.blueprint..", "dev.promguard.render..", "dev.promguard.change..")
            .and()
            .doNotHaveFullyQualifiedName("dev.promguard.host.Templates")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.io..");

    @ArchTest
    static final ArchRule logging_anyClass_isLeftToTheCaller =
            noClasses().should().dependOnClassesThat().resideInAnyPackage("java.util.logging..", "org.apache.log4j..");

    @ArchTest
    static final ArchRule output_anyClassButProgress_isLeftToTheCaller = noClasses()
            .that()
            .doNotHaveFullyQualifiedName("dev.promguard.Progress")
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err");

    @ArchTest
    static final ArchRule signature_publicOne_showsNoTypeOfALibrary = classes().should(showOnlyItsOwnTypes());

    private static ArchCondition<JavaClass> showOnlyItsOwnTypes() {
        return new ArchCondition<>("show only types of the platform and of PromGuard in public") {
            @Override
            public void check(JavaClass item, ConditionEvents events) {
                if (!isVisible(item) || isInternal(item)) {
                    return;
                }
                item.getRawSuperclass().ifPresent(type -> judge(item.getDescription(), type, events));
                item.getInterfaces().forEach(type -> judge(item.getDescription(), type, events));
                item.getFields().stream()
                        .filter(ArchitectureTest::isVisible)
                        .forEach(field -> types(field).forEach(type -> judge(field.getDescription(), type, events)));
                item.getCodeUnits().stream()
                        .filter(ArchitectureTest::isVisible)
                        .forEach(unit -> types(unit).forEach(type -> judge(unit.getDescription(), type, events)));
            }
        };
    }

    private static boolean isVisible(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.PUBLIC)
                && type.getEnclosingClass().map(ArchitectureTest::isVisible).orElse(true);
    }

    /** Whether no user is to use it. */
    private static boolean isInternal(JavaClass type) {
        return (type.getPackageName() + '.').contains(".internal.");
    }

    private static boolean isVisible(JavaMember member) {
        return (member.getModifiers().contains(JavaModifier.PUBLIC)
                        || member.getModifiers().contains(JavaModifier.PROTECTED))
                && !member.getModifiers().contains(JavaModifier.SYNTHETIC);
    }

    private static Set<JavaType> types(JavaField field) {
        return Set.of(field.getType());
    }

    private static Set<JavaType> types(JavaCodeUnit unit) {
        Set<JavaType> types = new HashSet<>(unit.getParameterTypes());
        types.add(unit.getReturnType());
        types.addAll(unit.getExceptionTypes());
        return types;
    }

    private static void judge(String where, JavaType type, ConditionEvents events) {
        for (JavaClass involved : type.getAllInvolvedRawTypes()) {
            JavaClass base = involved.getBaseComponentType();
            boolean own = base.isPrimitive()
                    || base.getPackageName().startsWith("java.")
                    || base.getPackageName().equals("javax.sql")
                    || (base.getPackageName() + '.').startsWith("dev.promguard.");
            boolean hidden = own && !base.isPrimitive() && isInternal(base);
            if (!own || hidden) {
                events.add(SimpleConditionEvent.violated(base, where + " shows " + base.getName()));
            }
        }
    }
}

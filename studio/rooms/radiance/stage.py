"""The Radiance room's stage: a radiance field seen through a camera, the tool strip, and the pane beside it."""

from __future__ import annotations

import base64
import math
import time
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QPoint, QRect, QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QImageWriter, QShowEvent
from PySide6.QtWidgets import QWidget

from ddmi_core.export.options import KeyFrame
from ddmi_core.fidelity import Fidelity, FitFacts
from ddmi_core.fitting.sizes import scene_bytes
from ddmi_core.rendering.view_settings import CHANNELS, Channel, Easing, ViewSettings
from ddmi_core.support.errors import DDMIError
from studio.actions import Actions
from studio.engine.engine import Engine
from studio.engine.work.items import View as Drawn
from studio.engine.work.radiance import HeldOutReady, HeldOutRequest, RenderReady, RenderRequest
from studio.panels.export_dialog import Place
from studio.panels.fidelity import gone, has_its_file, similarity
from studio.panels.inspector import item_title
from studio.panels.room import Stage
from studio.rooms.radiance.export_page import RadianceChoice, RadianceExportDialog, Scene
from studio.rooms.radiance.facts import FACTS
from studio.rooms.radiance.look_pane import LookPane
from studio.rooms.radiance.path_editor import PICTURE
from studio.settings import Settings
from studio.state.amounts import formatted_bytes
from studio.state.app_state import AppState
from studio.state.camera_timeline import CameraTimeline, TimedView, keep_timeline, read_timeline
from studio.state.library import Item
from studio.state.playback import Pace
from studio.theme.theme import Theme
from studio.widgets.basics import ElidedLabel, line
from studio.widgets.orbit_camera import View, key_frame, pose_rows
from studio.widgets.radiance_view import FIRST_VIEW, RadianceView

_ORBIT_STEP, _PAN_STEP, _ZOOM_STEP = 7.5, 0.04, 0.88
_SETTLED_MS = 180
_MOVING_RATE = 8  # pictures a second
_COARSEST = 8  # pixels between the rays of the first picture at rest


class RadianceStage(Stage[RadianceView]):
    """Shows one radiance field.

    While the camera moves, one rough picture after the other is drawn, each from where the camera is by then; how large
    they are follows from how quickly the last ones came. Once it rests, the picture sharpens in place, up to the
    screen's pixels.
    """

    room = FACTS
    canvas = RadianceView
    fidelity = "scene_fidelity"
    strip = (
        tuple(f"channel_{channel}" for channel in CHANNELS),
        ("look_home", "look_front", "look_side", "look_top"),
        ("look_fit", "look_reset", "fly"),
        ("held_out_view", "held_out_before", "held_out_next", "scene_fidelity"),
        ("key_frame", "turntable", "look_pane"),
    )

    def __init__(self, state: AppState, engine: Engine, actions: Actions, theme: Theme, settings: Settings) -> None:
        super().__init__(state, engine, actions, theme, settings)
        self.pane = LookPane(FIRST_VIEW.fov)
        self.figures = ElidedLabel(look="small", asks=True)
        self.figures.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.pixels_a_second: float | None = None
        """How quickly the last picture was drawn that became as sharp as the screen."""
        self.timeline = CameraTimeline()
        """The key frames of the item on the stage."""
        self.pace = Pace(first=64)
        pane_line = line(vertical=True)
        self._lay_out(self.figures, beside=(pane_line, self.pane))
        self._turntable_asked = False
        self._channel: Channel = "colour"
        self._held_out: int | None = None
        """The photograph that is compared with, if one is."""
        self._last_held_out = 0
        self._serial = 0
        self._drawn: RenderReady | None = None
        self._waiting = False  # for a rough picture
        self._moved_since = False
        self._settled = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._settled.timeout.connect(self._rest)
        self._preview = QTimer(self, interval=round(1000 / _MOVING_RATE))
        self._preview.timeout.connect(self._on_preview)
        self._preview_began = 0.0
        self._wire(actions)
        for part in (pane_line, self.pane):
            actions.on_toggled("look_pane", part.setVisible)
            part.setVisible(actions["look_pane"].isChecked())
        self.show_view(None, None)

    # The stage

    def show_view(self, item: Item | None, view: Drawn | None, resolution: int = 0) -> None:
        """Show a radiance field, given a first picture of it: `pixels`."""
        self._stop_preview()
        is_same = item is not None and self._item is not None and item.id == self._item.id
        self._item = item if view is not None else None
        if not is_same:
            self._show_timeline(read_timeline(item) if item is not None and view is not None else CameraTimeline())
        self._waiting = False  # whatever was being drawn was given up when another field was opened
        self._set_empty(view is None)
        self.viewer.gizmo.setVisible(view is not None and self._actions["gizmo"].isChecked())
        self.viewer.show_picture(view["pixels"] if view is not None else None)
        self.figures.setText("")
        for name in _FIELD_ACTIONS:
            self._actions[name].setEnabled(view is not None)
        of_scene = self._item is not None and self._item.recipe.fit is not None
        for name in _FILE_ACTIONS:
            self._actions[name].setEnabled(of_scene)
        if not (is_same and of_scene):
            self._leave_held_out()
        if view is not None and self._held_out is not None:
            self._ask_held_out()
        elif view is not None:
            self._draw()

    def show_sketch(self, view: Drawn, resolution: int) -> None:
        """Show the first picture of a radiance field."""
        self.show_view(None, None)
        self._set_empty(False)
        self.viewer.show_picture(view["pixels"])

    def export_dialog(self, item: Item, place: Place, parent: QWidget) -> RadianceExportDialog:
        """Asks for the format, the size, and whether this view, a turn or the path is wanted."""
        self._stop_preview()
        view = self.viewer.view
        path = tuple(self._key_frames())
        scene = Scene(key_frame(view), view.azimuth, view.elevation, view.distance, path, self.pixels_a_second)
        choice = self._settings.export_choice(RadianceChoice)
        if self._turntable_asked:
            choice = choice.as_turntable()
        return RadianceExportDialog(
            item_title(item), choice, place, scene, self.settings(), item.recipe.placement, parent
        )

    def _fit_size(self, facts: FitFacts, fidelity: Fidelity) -> str:
        return f"at most {formatted_bytes(scene_bytes(fidelity))}"

    def settings(self) -> ViewSettings:
        """How the field is looked at."""
        return self.pane.settings().model_copy(update={"channel": self._channel})

    # Actions

    def _wire(self, actions: Actions) -> None:
        viewer = self.viewer
        viewer.view_changed.connect(self._on_camera)
        self.pane.changed.connect(self._on_look)
        editor = self.pane.path
        editor.asked.connect(self._on_path)
        editor.chosen.connect(lambda row: viewer.glide(self.path[row]))
        editor.reordered.connect(lambda order: self._set_timeline(self.timeline.reordered(order)))
        editor.retimed.connect(self._on_times)
        self._engine.answers(RenderReady).connect(self._on_render)
        self._engine.answers(HeldOutReady).connect(self._on_held_out)
        actions.on(self.fidelity, self.show_fidelities)
        actions.on_toggled("held_out_view", self._set_beside)
        actions.on("held_out_before", partial(self._step_held_out, -1))
        actions.on("held_out_next", partial(self._step_held_out, 1))
        for channel in CHANNELS:
            actions.on(f"channel_{channel}", partial(self._show_channel, channel))
        actions["channel_colour"].setChecked(True)
        for name in ("home", "front", "side", "top"):
            actions.on(f"look_{name}", partial(viewer.turn_to, name))
        actions.on("look_fit", viewer.fit)
        actions.on("look_reset", viewer.reset)
        actions.on_toggled("fly", self._set_flying)
        actions.on_toggled("gizmo", lambda on: viewer.gizmo.setVisible(on and self._item is not None))
        actions["gizmo"].setChecked(True)
        actions.on("turntable", self.ask_turntable)
        actions.on("key_frame", partial(self._on_path, "add"))
        actions.on("play_path", partial(self._on_path, "preview"))
        for name, x, y in (("left", -1, 0), ("right", 1, 0), ("up", 0, 1), ("down", 0, -1)):
            actions.on(f"look_{name}", partial(viewer.orbit, _ORBIT_STEP * x, _ORBIT_STEP * y))
            actions.on(f"shift_{name}", partial(viewer.pan, _PAN_STEP * x, _PAN_STEP * y))
        actions.on("look_closer", lambda: viewer.zoom(_ZOOM_STEP))
        actions.on("look_farther", lambda: viewer.zoom(1 / _ZOOM_STEP))

    def ask_turntable(self) -> None:
        """Export a film of a whole turn, as seen from the height and the distance of the camera."""
        self._turntable_asked = True
        self._actions["export"].trigger()
        self._turntable_asked = False

    def _show_channel(self, channel: Channel) -> None:
        self._channel = channel
        self._draw()

    def _set_flying(self, on: bool) -> None:
        self.viewer.flying = on
        self.viewer.setFocus()

    def _on_look(self) -> None:
        """Take what was chosen in the pane."""
        view = self.viewer.view
        self.viewer.show_crop(self.pane.settings().crop)
        if self.pane.fov != round(view.fov):
            # What is looked at keeps its size: a wider camera comes nearer.
            slope, wider = (np.tan(np.radians(fov / 2)) for fov in (view.fov, self.pane.fov))
            self.viewer.set_view(view.with_fov(self.pane.fov, view.distance * float(slope / wider)))
        else:
            self._draw()

    # Beside the photographs

    def _set_beside(self, on: bool) -> None:
        if on == (self._held_out is not None):
            return
        if on and self._item is not None and not has_its_file(self._item):
            self._state.notifications.warning(gone(self._item))
            self._actions["held_out_view"].setChecked(False)
        elif on:
            self._step_held_out(0)
        else:
            self._leave_held_out()
            self._draw()

    def _step_held_out(self, by: int) -> None:
        """Compare with the photograph so many after the one that is compared with, or that was last."""
        self._last_held_out += by
        self._held_out = self._last_held_out
        self._actions["held_out_view"].setChecked(True)
        self._ask_held_out()

    def _leave_held_out(self) -> None:
        self._held_out = None
        self._actions["held_out_view"].setChecked(False)

    def _ask_held_out(self) -> None:
        item, number = self._item, self._held_out
        if item is None or number is None:
            return
        self._settled.stop()
        self._waiting = False
        self._serial += 1
        request = HeldOutRequest(item=item, number=number, serial=self._serial)
        if not self._ask_for(request):
            self._leave_held_out()

    def _on_held_out(self, result: HeldOutReady) -> None:
        request = result.request
        if self._item is None or request.item.id != self._item.id or request.serial != self._serial:
            return
        self._last_held_out = self._held_out = result.number
        with QSignalBlocker(self.viewer):  # the camera goes there, but what it sees is there already
            self.viewer.set_view(View.of_pose(np.array(result.camera.pose), result.camera.fov))
        self.pane.show_fov(result.camera.fov)
        name = Path(result.name).name or "A photograph that it learned from"
        place = f"{result.number + 1} of {result.count}"
        near = f"{result.psnr:.1f} dB, {similarity(result.ssim)}"
        self.viewer.show_beside(result.pixels, result.photograph, (f"Fit, {near}", f"{name}, {place}"))
        height, width = result.photograph.shape[:2]
        self.figures.setText(f"View {place}  ·  {near}")
        self.figures.setToolTip(
            f"How near the fit comes to this photograph of {width} × {height} pixels. It learned from the others."
        )

    # The path

    @property
    def path(self) -> list[View]:
        """What the camera sees at the key frames."""
        return [View(key.azimuth, key.elevation, key.distance, key.centre, key.fov) for key in self.timeline.keys]

    def _key_frames(self) -> list[KeyFrame]:
        """The key frames as exports take them."""
        pairs = zip(self.path, self.timeline.keys, strict=True)
        return [
            key_frame(view).model_copy(update={"seconds": key.seconds, "easing": key.easing}) for view, key in pairs
        ]

    def _on_path(self, name: str) -> None:
        timeline, number = self.timeline, self.pane.path.chosen_key()
        match name:
            case "add" if self._item is not None:
                self._set_timeline(timeline.added(self._here()), len(timeline.keys))
            case "update" if timeline.keys and self._item is not None:
                here = self._here().model_dump(exclude={"seconds", "easing"})
                self._set_timeline(timeline.changed(number, **here))
            case "remove" if timeline.keys:
                self._set_timeline(timeline.removed(number))
            case "clear":
                self._set_timeline(CameraTimeline())
            case "preview" if len(timeline.keys) > 1 and self._item is not None:
                if self._preview.isActive():
                    self._stop_preview()
                else:
                    self._preview_began = time.monotonic()
                    self._preview.start()

    def _on_times(self, number: int, seconds: float, easing: Easing) -> None:
        self._set_timeline(self.timeline.changed(number, seconds=seconds, easing=easing))

    def _set_timeline(self, timeline: CameraTimeline, chosen: int | None = None) -> None:
        """Go on with other key frames, and keep them with the item."""
        self._show_timeline(timeline, chosen)
        if self._item is not None:
            try:
                keep_timeline(self._item, timeline)
            except DDMIError as error:
                self._state.notifications.warning(str(error))

    def _show_timeline(self, timeline: CameraTimeline, chosen: int | None = None) -> None:
        self._stop_preview()
        self.timeline = timeline
        self.pane.path.show_timeline(timeline, chosen)
        way = self._along(16 * len(timeline.keys)) if len(timeline.keys) > 1 else []
        self.viewer.show_path([(row[0][3], row[1][3], row[2][3]) for row in (key.pose for key in way)])

    def _here(self) -> TimedView:
        """A key frame where the camera is, with what it sees."""
        picture = QBuffer()
        ratio = self.devicePixelRatioF()
        small = self.viewer.screenshot().scaled(
            PICTURE * ratio,
            Qt.AspectRatioMode.KeepAspectRatioByExpanding,
            Qt.TransformationMode.SmoothTransformation,
        )
        size = PICTURE * ratio
        left, top = (small.width() - size.width()) // 2, (small.height() - size.height()) // 2
        QImageWriter(picture, b"PNG").write(small.copy(QRect(QPoint(left, top), size)))
        view = self.viewer.view
        return TimedView(
            azimuth=view.azimuth,
            elevation=view.elevation,
            distance=view.distance,
            centre=view.centre,
            fov=view.fov,
            picture=base64.b64encode(bytes(picture.data().data())),
        )

    def _along(self, count: int) -> list[KeyFrame]:
        """So many cameras on the path."""
        from ddmi_core.rendering.camera_path import Leg, along  # here, because scipy must not delay the window
        from ddmi_core.rendering.cameras import Camera

        keys = [Camera(view.camera_to_world(), view.fov) for view in self.path]
        legs = [Leg(key.seconds, key.easing) for key in self.timeline.keys]
        return [KeyFrame(pose=pose_rows(camera.pose), fov=camera.fov) for camera in along(keys, count, legs)]

    def _on_preview(self) -> None:
        """Show the path as far as it has come; the camera itself goes there only at the end."""
        seconds = self.timeline.seconds
        share = (time.monotonic() - self._preview_began) / max(seconds, 1e-3)
        if share >= 1 or self._item is None:
            self._stop_preview()
            self.viewer.set_view(self.path[-1])
        elif not self._waiting:
            count = round(seconds * _MOVING_RATE) + 1
            self._ask_rough(self._along(count)[round(share * (count - 1))])

    def _stop_preview(self) -> None:
        self._preview.stop()

    # Drawing

    def _on_camera(self) -> None:
        self._stop_preview()
        self.pane.show_fov(self.viewer.view.fov)
        self._draw()

    def _draw(self) -> None:
        """Draw anew: roughly at once, finely when the camera rests."""
        if self._item is None:
            return
        self._leave_held_out()
        self._drawn = None
        self._settled.start()
        if self._waiting:
            self._moved_since = True
        else:
            self._ask_rough(key_frame(self.viewer.view))

    def _ask_rough(self, camera: KeyFrame) -> None:
        self._waiting, self._moved_since = True, False
        height = self._screen_height()
        side = self.pace.side(height, self._aspect(), _MOVING_RATE)
        stride = 2 ** math.ceil(math.log2(height / side))
        self._ask(camera, stride, self.settings().rough(), moving=True)

    def _rest(self) -> None:
        """Let the picture sharpen, once the rough one has come."""
        if self._item is None:  # it was deleted meanwhile
            return
        if self._is_drawing() or self._preview.isActive():
            self._settled.start()
            return
        self._waiting = False  # it came, or it failed, which has been said
        stride = _COARSEST if self._drawn is None else min(_COARSEST, self._drawn.stride)
        self._ask(key_frame(self.viewer.view), stride, self.settings(), moving=False)

    def _is_drawing(self) -> bool:
        """Whether a rough picture is still to come."""
        return self._waiting and any(
            isinstance(job.request, RenderRequest) for job in self._state.jobs.active(quiet=True)
        )

    def _ask(self, camera: KeyFrame, stride: int, settings: ViewSettings, *, moving: bool) -> None:
        item = self._item
        assert item is not None
        self._serial += 1
        height = self._screen_height()
        request = RenderRequest(
            item=item,
            camera=camera,
            width=max(8, round(height * self._aspect())),
            height=height,
            settings=settings,
            stride=stride,
            serial=self._serial,
            moving=moving,
        )
        if not self._ask_for(request):
            self._waiting = False
            self._stop_preview()
            self._settled.stop()

    def _on_render(self, result: RenderReady) -> None:
        request = result.request
        if self._item is None or request.item.id != self._item.id or request.serial != self._serial:
            return
        self._drawn = result
        self.viewer.show_picture(result.pixels)
        self._say_figures()
        if request.moving:
            self.pace.learn(request.width * request.height // result.stride**2, result.seconds)
            self._waiting = False
            if self._moved_since:
                self._ask_rough(key_frame(self.viewer.view))
        elif result.stride == 1:
            self.pixels_a_second = request.width * request.height / max(result.seconds, 1e-6)

    def _screen_height(self) -> int:
        return max(16, round(self.viewer.height() * self.viewer.devicePixelRatioF()))

    def _aspect(self) -> float:
        return max(self.viewer.width(), 1) / max(self.viewer.height(), 1)

    def _say_figures(self) -> None:
        if self._drawn is None:
            return
        request, stride, seconds = self._drawn.request, self._drawn.stride, self._drawn.seconds
        width, height = request.width, request.height
        self.figures.setText(f"{-(-width // stride)} × {-(-height // stride)} px")
        self.figures.setToolTip(
            f"How finely the picture of {width} × {height} pixels is drawn by now, after {seconds:.1f} s. It is rough "
            "while the camera moves, and sharpens when it rests, up to the screen's own pixels."
        )

    def resizeEvent(self, event: object) -> None:
        """Draw at the new size."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        if self._held_out is None:
            self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        """Go on with a picture that was left unfinished while another room was looked at."""
        super().showEvent(event)
        unfinished = self._drawn is None or self._drawn.stride > 1
        if self._item is not None and self._held_out is None and unfinished:
            self._settled.start()


_FIELD_ACTIONS = (
    "look_home", "look_front", "look_side", "look_top", "look_fit", "look_reset", "fly", "key_frame", "play_path",
    "turntable", *(f"channel_{channel}" for channel in CHANNELS),
)  # fmt: skip


_FILE_ACTIONS = ("held_out_view", "held_out_before", "held_out_next", "scene_fidelity")
